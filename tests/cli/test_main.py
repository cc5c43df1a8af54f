"""The command line as a user meets it."""

import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import soundfile
from tests.synthetic.performer import true_avatar

from locutor.avatar.bundle import load_avatar, save_avatar
from locutor.capture.performance import Performance
from locutor.cli import verbs
from locutor.cli.main import main
from locutor.fit.config import PRESETS, TrainConfig
from locutor.media.video import iterate_frames

VERBS = ("capture", "train", "say", "eval", "demo", "actor", "export", "serve", "doctor")
TINY = ["--n-gaussians", "600", "--n-mouth", "40", "--n-bases", "2", "--n-iterations", "4"]


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str

    @property
    def events(self) -> list[dict]:
        """Standard output as one JSON record per line."""
        return [json.loads(line) for line in self.out.splitlines()]


@pytest.fixture
def locutor(monkeypatch, capsys) -> Callable[..., Outcome]:
    """Runs a command in this process; standard output is no terminal."""
    monkeypatch.setenv("OMP_WAIT_POLICY", "passive")

    def run(*words: object) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["locutor", *map(str, words)])
        code = 0
        try:
            main()
        except SystemExit as stop:
            code = int(stop.code or 0)
        return Outcome(code, *capsys.readouterr())

    return run


def refused(outcome: Outcome, what: str, hint: str) -> None:
    """One sentence, one hint, exit code 2, no traceback."""
    assert outcome.code == 2
    first, second = outcome.err.splitlines()
    assert first.startswith("locutor: ")
    assert what in first
    assert second.startswith("  -> ")
    assert hint in second
    assert "Traceback" not in outcome.err


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    t = np.arange(8000) / 16_000
    soundfile.write(tmp_path / "tone.wav", 0.2 * np.sin(2 * np.pi * 200 * t), 16_000)
    return tmp_path / "tone.wav"


def test_help_answers_without_heavy_packages():
    code = f"""
import json, sys
from locutor.cli.main import main
codes = []
for words in [["--help"], *([verb, "--help"] for verb in {VERBS!r})]:
    sys.argv = ["locutor", *words]
    try:
        main()
    except SystemExit as stop:
        codes.append(stop.code)
heavy = [name for name in ("torch", "mediapipe", "cv2", "scipy", "av") if name in sys.modules]
print(json.dumps([codes, heavy]), file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    codes, heavy = json.loads(done.stderr.splitlines()[-1])
    assert codes == [0] * (1 + len(VERBS))
    assert heavy == []
    for verb in VERBS:
        assert verb in done.stdout


def test_it_is_a_program():
    env = os.environ | {"COLUMNS": "100"}
    done = subprocess.run(
        [sys.executable, "-m", "locutor.cli.main", "--help"], capture_output=True, text=True, timeout=60, env=env
    )
    assert done.returncode == 0
    assert "usage: locutor" in done.stdout
    assert done.stderr == ""


def test_an_unknown_option_is_refused(locutor):
    outcome = locutor("train", "x", "-o", "y", "--no-such-option", "3")
    assert outcome.code == 2
    assert "no-such-option" in outcome.err + outcome.out
    assert "Traceback" not in outcome.err


def test_no_such_avatar(locutor, sound, tmp_path):
    missing, out = tmp_path / "nobody.avatar", tmp_path / "out.mp4"
    refused(locutor("say", missing, sound, "-o", out), "nobody.avatar", "locutor train")
    refused(locutor("eval", missing, "-o", tmp_path / "report"), "nobody.avatar", "locutor train")
    assert {p.name for p in tmp_path.iterdir()} == {"tone.wav"}


def test_say_needs_one_of_sound_and_text(locutor, avatar_file, sound, tmp_path):
    out = tmp_path / "out.mp4"
    for words in ([], [sound, "--text", "hello"]):
        refused(locutor("say", avatar_file, *words, "-o", out), "either a sound file or --text", "locutor say")
    assert not out.exists()


def test_what_exists_is_not_overwritten(locutor, avatar_file, performance: Performance, sound, tmp_path):
    taken = tmp_path / "taken.avatar"
    taken.write_text("precious")
    refused(locutor("say", avatar_file, sound, "-o", taken), "exists already", "--overwrite")
    refused(locutor("train", performance.folder, "-o", taken), "exists already", "--overwrite")
    refused(locutor("capture", "film.mp4", "-o", taken), "exists already", "choose another name")
    refused(locutor("eval", avatar_file, "-o", taken), "exists already", "choose another name")
    assert taken.read_text() == "precious"
    assert {p.name for p in tmp_path.iterdir()} == {"taken.avatar", "tone.wav"}


def test_a_source_that_is_not_there(locutor, tmp_path):
    refused(locutor("capture", tmp_path / "no.mp4", "-o", tmp_path / "out"), "no.mp4 does not exist", "check the name")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_no_performance(locutor, tmp_path):
    refused(locutor("train", tmp_path, "-o", tmp_path / "x.avatar"), "is not a performance folder", "locutor capture")


@pytest.mark.parametrize("place", ["file/me.avatar", "file/deeper/me.avatar"])
def test_a_place_below_a_file(locutor, performance: Performance, tmp_path, place):
    (tmp_path / "file").write_text("")
    refused(locutor("train", performance.folder, "-o", tmp_path / place, *TINY), "cannot write", "choose a folder")


def test_ctrl_c_is_no_traceback(locutor, monkeypatch, tmp_path):
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(verbs, "capture", interrupted)
    outcome = locutor("capture", "film.mp4", "-o", tmp_path / "out")
    assert outcome.code == 130
    assert "stopped" in outcome.err
    assert "Traceback" not in outcome.err


def test_say_writes_a_video_and_tells_in_json(locutor, avatar_file, sound, tmp_path):
    out = tmp_path / "out.mp4"
    outcome = locutor("say", avatar_file, sound, "-o", out, "--seed", 2)
    assert outcome.code == 0
    assert outcome.err == ""
    assert {e["event"] for e in outcome.events} == {"Progress", "Wrote"}
    assert outcome.events[-1] == {"event": "Wrote", "path": str(out), "what": "video"}
    assert len(list(iterate_frames(out))) == 13
    assert locutor("say", avatar_file, sound, "-o", out, "--overwrite").code == 0


def test_the_embedded_performer_speaks(locutor, sound, tmp_path):
    outcome = locutor("say", "demo", sound, "-o", tmp_path / "out.mp4")
    assert outcome.code == 0, outcome.err
    frames = list(iterate_frames(tmp_path / "out.mp4"))
    assert len(frames) == 13
    assert frames[0].std() > 20
    assert verbs.find_avatar("demo").provenance.synthetic


def test_train_from_a_folder(locutor, performance: Performance, tmp_path):
    out = tmp_path / "me.avatar"
    outcome = locutor("train", performance.folder, "-o", out, *TINY, "--seed", 7)
    assert outcome.code == 0, outcome.err
    assert outcome.events[-1] == {"event": "Wrote", "path": str(out), "what": "avatar"}
    assert {p.name for p in tmp_path.iterdir()} == {"me.avatar", "me.run"}
    avatar = load_avatar(out)
    assert avatar.provenance.iterations == 4
    assert avatar.bases.shape[0] == 2 + TrainConfig().n_torso_bases
    assert json.loads((tmp_path / "me.run" / "config.json").read_text())["config"]["seed"] == 7
    logged = [json.loads(line) for line in (tmp_path / "me.run" / "events.jsonl").read_text().splitlines()]
    assert logged == outcome.events[:-1]

    again = locutor("train", performance.folder, "-o", out, *TINY, "--seed", 7, "--overwrite")
    assert again.events[0]["event"] == "Warned"  # goes on from the finished checkpoint


def test_a_run_folder_of_another_film_is_not_mixed_up(locutor, performance: Performance, tmp_path):
    (tmp_path / "me.run").mkdir()
    (tmp_path / "me.run" / "performance").symlink_to(performance.folder)
    other = tmp_path / "other.mp4"
    other.write_bytes(b"")
    refused(locutor("train", other, "-o", tmp_path / "me.avatar", *TINY), "belongs to synthetic.mp4", "another name")


def test_eval_finds_the_footage_by_itself(locutor, avatar_file, tmp_path, monkeypatch):
    monkeypatch.setenv("LOCUTOR_MODELS", str(tmp_path / "empty"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "empty"))
    monkeypatch.setattr("urllib.request.urlopen", _offline)
    outcome = locutor("eval", avatar_file, "-o", tmp_path / "report")
    assert outcome.code == 0, outcome.err
    assert outcome.events[-1]["path"] == str(tmp_path / "report" / "report.html")


def _offline(*_: object, **__: object) -> None:
    raise OSError("offline")


def test_eval_of_footage_that_has_moved(locutor, avatar_file, tmp_path):
    moved = tmp_path / "moved"
    outcome = locutor("eval", avatar_file, "-o", tmp_path / "report", "--performance", moved)
    refused(outcome, f"is not at {moved}", "--performance")


def test_a_demo_goes_on_where_it_was_interrupted(locutor, avatar_file, performance: Performance, sound, tmp_path):
    """What is there already is not made again: here only the spoken file is missing."""
    out = tmp_path / "demo"
    (out / "report").mkdir(parents=True)
    (out / "performance").symlink_to(performance.folder)
    (out / "avatar.avatar").symlink_to(avatar_file)
    for name in ("sentence_1.mp4", "sentence_2.mp4"):
        (out / name).write_text("finished before")
    outcome = locutor("demo", "-o", out, "--audio", sound)
    assert outcome.code == 0, outcome.err
    wrote = [e["path"] for e in outcome.events if e["event"] == "Wrote"]
    assert wrote == [str(out / "tone.mp4")]
    assert "report.html" in outcome.events[-1]["message"]
    assert (out / "sentence_1.mp4").read_text() == "finished before"


def test_a_demo_folder_of_another_film_is_not_mixed_up(locutor, performance: Performance, tmp_path):
    out = tmp_path / "demo"
    out.mkdir()
    (out / "performance").symlink_to(performance.folder)
    other = tmp_path / "other.mp4"
    other.write_bytes(b"")
    refused(locutor("demo", "-o", out, "--video", other), "belongs to synthetic.mp4", "another name")


def test_a_demo_of_a_silent_film_says_that_it_cannot_speak(locutor, performance: Performance, tmp_path):
    out = tmp_path / "demo"
    (out / "report").mkdir(parents=True)
    (out / "performance").symlink_to(performance.folder)
    mute = dataclasses.replace(true_avatar(), voice={})
    save_avatar(mute, out / "avatar.avatar", mute.plate)
    outcome = locutor("demo", "-o", out)
    assert outcome.code == 0, outcome.err
    assert any("cannot speak" in e.get("message", "") for e in outcome.events)
    assert not list(out.glob("*.mp4"))


def test_doctor_says_what_the_machine_can_do(locutor, monkeypatch, tmp_path):
    monkeypatch.setenv("LOCUTOR_MODELS", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    (tmp_path / "selfie_segmentation.tflite").write_text("")
    outcome = locutor("doctor")
    assert outcome.code == 0
    assert outcome.err == ""
    lines = {line.split(":")[0]: line for line in outcome.out.splitlines()}
    assert "kernels: " in lines["cores"]
    assert any(isa in lines["cores"] for isa in ("portable", "avx2", "avx512"))
    assert "missing; fetched from https://" in lines["face_landmarker.task"]
    assert str(tmp_path) in lines["selfie_segmentation.tflite"]
    assert "speech from text" in lines
    assert outcome.out.startswith("locutor 0.")


def test_serve_says_what_it_needs(locutor, monkeypatch):
    pytest.importorskip("fastapi")
    monkeypatch.delenv("LOCUTOR_TOKEN", raising=False)
    refused(locutor("serve"), "serve needs an avatar", "locutor serve demo")
    refused(locutor("serve", "demo", "--host", "0.0.0.0"), "there is no token", "LOCUTOR_TOKEN")
    refused(locutor("serve", "nobody.avatar"), "there is no avatar nobody.avatar", "locutor train")


def test_a_preset_decides_what_is_left_open(locutor, performance: Performance, tmp_path):
    done = locutor("train", performance.folder, "-o", tmp_path / "p.avatar", "--preset", "fast", *TINY[:2], *TINY[6:])
    assert done.code == 0
    config = json.loads((tmp_path / "p.run" / "config.json").read_text())["config"]
    assert (config["preset"], config["n_gaussians"], config["n_iterations"]) == ("fast", 600, 4)
    assert config["n_bases"] == PRESETS["fast"][2]

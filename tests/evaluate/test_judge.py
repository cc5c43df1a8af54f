"""The whole evaluation on the synthetic performance, without any model file."""

import json
import re
import urllib.error
import urllib.request
from dataclasses import replace
from pathlib import Path

import pytest

from locutor.avatar.avatar import Avatar
from locutor.capture.performance import Performance
from locutor.core.clock import FPS
from locutor.core.errors import OutputError
from locutor.core.events import Event, Progress, Warned, Wrote
from locutor.evaluate.judge import judge
from locutor.media.audio import audio_duration
from locutor.media.video import iterate_frames, probe_video


@pytest.fixture(scope="module")
def offline(tmp_path_factory: pytest.TempPathFactory):
    """No model files anywhere, and no network."""
    with pytest.MonkeyPatch.context() as patch:
        empty = tmp_path_factory.mktemp("empty")
        patch.setenv("LOCUTOR_MODELS", str(empty))
        patch.setenv("XDG_CACHE_HOME", str(empty))

        def refuse(*_: object, **__: object) -> None:
            raise urllib.error.URLError("offline")

        patch.setattr(urllib.request, "urlopen", refuse)
        yield


@pytest.fixture(scope="module")
def judged(offline, performance: Performance, speaking_avatar: Avatar, tmp_path_factory) -> tuple[Path, list[Event]]:
    out = tmp_path_factory.mktemp("judged") / "report"
    return out, list(judge(speaking_avatar, performance, out))


@pytest.fixture(scope="module")
def metrics(judged) -> dict:
    return json.loads((judged[0] / "metrics.json").read_text())


def test_it_says_what_is_left_out_and_where_the_report_is(judged):
    out, events = judged
    warned = [e.message for e in events if isinstance(e, Warned)]
    assert len(warned) == 1
    assert "lip figures are left out" in warned[0]
    assert "face_landmarker.task" in warned[0]
    assert events[-1] == Wrote(out / "report.html", "report")
    for stage in ("refining poses", "judging"):
        bars = [e for e in events if isinstance(e, Progress) and e.stage == stage]
        assert [b.done for b in bars] == sorted(b.done for b in bars)
        assert bars[-1].done == bars[-1].total


def test_the_folder_is_whole(judged):
    out, _ = judged
    assert {p.name for p in out.iterdir()} == {
        *("truth.mp4", "refined.mp4", "replay.mp4", "voice.mp4"),
        *("metrics.json", "report.html"),
    }
    assert [p.name for p in out.parent.iterdir()] == ["report"]


@pytest.mark.parametrize("name", ["truth", "refined", "replay", "voice"])
def test_videos_have_all_frames_and_sound(judged, performance: Performance, name):
    path = judged[0] / f"{name}.mp4"
    info = probe_video(path)
    assert (info.width, info.height, info.has_audio) == (performance.camera.width, performance.camera.height, True)
    assert len(list(iterate_frames(path))) == 10
    assert audio_duration(path) == pytest.approx(10 / FPS, abs=0.15)


def test_rows_are_ordered_by_what_they_know(metrics):
    rows = metrics["rows"]
    assert set(rows) == {"truth through the codec", "refined", "replay", "voice", "static head", "mean frame"}
    assert rows["replay"]["psnr"] > rows["static head"]["psnr"] + 5
    assert rows["replay"]["psnr_face"] > rows["static head"]["psnr_face"] + 5
    assert rows["refined"]["psnr"] > rows["replay"]["psnr"] - 1  # at 49 dB rounding is all that is left
    assert rows["replay"]["psnr_person"] > rows["static head"]["psnr_person"] + 5
    assert rows["static head"]["sharpness_face"] > 0.3
    assert rows["mean frame"]["flicker_torso"] == 0
    assert rows["replay"]["ssim"] > rows["static head"]["ssim"]
    assert rows["voice"]["psnr"] > rows["static head"]["psnr"]
    assert rows["replay"]["psnr_mouth"] > rows["voice"]["psnr_mouth"]  # the sound does not tell all
    assert rows["replay"]["psnr"] > rows["mean frame"]["psnr"] + 5
    assert rows["truth through the codec"]["psnr"] > 30


def test_figures_tell_what_was_judged(metrics, performance: Performance):
    assert metrics["footage"] == performance.meta.source
    assert metrics["held_out_frames"] == [100, 110]
    assert len(metrics["lip_gap"]["truth"]) == 10
    assert "lip_distance_px" not in metrics["rows"]["replay"]


def test_the_voice_is_scored_over_the_whole_clip(metrics):
    voice = metrics["voice_five_fold"]
    assert voice["lip_gap_correlation"] > 0.3  # of four seconds; the sound follows the mouth
    assert voice["lip_gap_correlation"] > voice["all_rolls_p95"]
    assert abs(voice["best_lag_frames"]) <= 2
    assert abs(voice["all_rolls_mean"]) < 0.2


def test_the_page_shows_the_table_and_the_frames(judged):
    page = (judged[0] / "report.html").read_text()
    for text in ("synthetic.mp4", "replay", "static head", "mean frame", "truth.mp4", "voice.mp4", "five-fold"):
        assert text in page
    assert page.count("data:image/jpeg;base64,") == 6 * 5  # six frames: truth, refined, replay, voice, error
    assert "nan" not in re.sub(r"base64,[^']*", "", page)


def test_without_a_voice(offline, performance: Performance, speaking_avatar: Avatar, tmp_path):
    out = tmp_path / "report"
    list(judge(replace(speaking_avatar, voice={}), performance, out))
    assert not (out / "voice.mp4").exists()
    metrics = json.loads((out / "metrics.json").read_text())
    assert "voice" not in metrics["rows"]
    assert metrics["voice_five_fold"] == {}


def test_an_existing_place_is_left_alone(performance: Performance, speaking_avatar: Avatar, tmp_path):
    out = tmp_path / "report"
    out.mkdir()
    (out / "precious").write_text("mine")
    with pytest.raises(OutputError, match="exists already"):
        next(judge(speaking_avatar, performance, out))
    assert [p.name for p in out.iterdir()] == ["precious"]


def test_stopping_half_way_leaves_nothing(offline, performance: Performance, speaking_avatar: Avatar, tmp_path):
    events = judge(speaking_avatar, performance, tmp_path / "report")
    for event in events:
        if isinstance(event, Progress):
            break
    events.close()
    assert list(tmp_path.iterdir()) == []

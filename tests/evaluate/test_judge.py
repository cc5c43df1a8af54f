"""The whole evaluation on the synthetic performance, without any model file."""

import csv
import json
import re
import urllib.error
import urllib.request
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from locutor.avatar.avatar import Avatar
from locutor.capture.performance import Performance
from locutor.core.clock import FPS
from locutor.core.errors import OutputError
from locutor.core.events import Event, Progress, Warned, Wrote
from locutor.evaluate.compare import compare
from locutor.evaluate.judge import judge
from locutor.evaluate.protocols import Protocol, held_out, read_clip
from locutor.evaluate.scoring import Judge
from locutor.evaluate.ways import Way
from locutor.media.audio import audio_duration
from locutor.media.video import iterate_frames, probe_video
from locutor.provenance.mark import Source
from locutor.provenance.verify import State, verify


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
    assert len(warned) == 2
    assert "lip figures are left out" in warned[0]
    assert "face_landmarker.task" in warned[0]
    assert "independent landmarker" in warned[1]
    assert events[-1] == Wrote(out / "report.html", "report")
    for stage in ("refining poses", "judging"):
        bars = [e for e in events if isinstance(e, Progress) and e.stage == stage]
        assert [b.done for b in bars] == sorted(b.done for b in bars)
        assert bars[-1].done == bars[-1].total


def test_the_folder_is_whole(judged):
    out, _ = judged
    assert {p.name for p in out.iterdir()} == {
        *("truth.mp4", "refined.mp4", "replay.mp4", "voice.mp4", "free.mp4", "cross.mp4", "comparison.mp4"),
        *("metrics.json", "metrics.csv", "frames.csv", "report.html"),
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
    lines = [line for line in Protocol if line is not Protocol.TRUE_TORSO]
    assert list(rows) == [line.value for line in lines]
    assert metrics["kinds"] == {line.value: line.kind for line in lines}
    assert not rows["free"]  # without a landmarker nothing can be said of it
    assert rows["pasted"]["psnr"] > rows["voice"]["psnr"]  # most of it is the truth
    assert rows["replay"]["psnr"] > rows["static head"]["psnr"] + 5
    assert rows["replay"]["psnr_face"] > rows["static head"]["psnr_face"] + 5
    assert rows["refined"]["psnr"] > rows["replay"]["psnr"] - 1  # at 49 dB rounding is all that is left
    assert rows["replay"]["psnr_person"] > rows["static head"]["psnr_person"] + 5
    assert rows["static head"]["sharpness_face"] > 0.3
    assert rows["another's motion"]["psnr_mouth"] < rows["replay"]["psnr_mouth"]
    assert rows["replay"]["ms_ssim"] > rows["static head"]["ms_ssim"]
    assert rows["replay"]["pyramid_distance"] < rows["static head"]["pyramid_distance"]
    low, high, n = metrics["intervals"]["replay"]["psnr"]
    assert low < rows["replay"]["psnr"] < high
    assert n == 10
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
    correlation, chance = voice["voice"]["lip_gap_correlation"], voice["chance"]["lip_gap_correlation"]
    assert correlation[0] > 0.3  # of four seconds; the sound follows the mouth
    assert correlation[0] > chance[2]
    assert correlation[3] == 110
    assert abs(chance[0]) < 0.2
    assert abs(voice["voice"]["lip_gap_lag_frames"][0]) <= 2
    assert voice["ceiling"]["lip_gap_correlation"][0] == 1


def test_what_it_costs_is_measured(metrics):
    cost = metrics["cost"]
    assert cost["frames_per_s"] > 0
    assert 0 < cost["latency_ms"] <= cost["latency_p95_ms"] * 2
    assert cost["peak_mb"] > 50


def test_tables_hold_what_the_record_holds(judged, metrics):
    with (judged[0] / "metrics.csv").open() as file:
        table = {(line["row"], line["figure"]): line for line in csv.DictReader(file)}
    assert float(table["replay", "psnr"]["value"]) == pytest.approx(metrics["rows"]["replay"]["psnr"], rel=1e-3)
    assert table["mean frame", "psnr"]["kind"] == "chance"
    with (judged[0] / "frames.csv").open() as file:
        frames = [line for line in csv.DictReader(file) if line["row"] == "replay"]
    assert [int(line["frame"]) for line in frames] == list(range(100, 110))
    mean = np.mean([float(line["psnr"]) for line in frames])
    assert mean == pytest.approx(metrics["rows"]["replay"]["psnr"], rel=1e-3)


def test_feeding_the_truth_gives_the_ceiling_again(judged, metrics, performance: Performance):
    """The films beside the report are all that is needed to get the ceiling row again."""
    part = held_out(performance)
    way = Way(Protocol.CODEC, lambda: read_clip(judged[0] / "truth.mp4"), part.sound)
    again = Judge(performance, part, None, None).score(way).values
    assert {name: round(value, 4) for name, value in again.items()} == metrics["rows"]["truth through the codec"]


def test_the_page_shows_the_table_and_the_frames(judged):
    page = (judged[0] / "report.html").read_text()
    for text in ("synthetic.mp4", "replay", "static head", "mean frame", "five-fold", "frames/s", "pasted", "cross"):
        assert text in page
    assert page.count("data:image/jpeg;base64,") >= 3 + 6 * 5  # error maps; frames: truth, three rows, error
    assert page.count("data:video/mp4;base64,") == 1
    words = re.sub(r"base64,[^']*", "", page)
    assert "nan" not in words
    assert not re.search(r"(src|href)='(?!data:)", words)  # needs no other file
    assert page.index("frames/s") < page.index("data:video") < page.index("<h2>")


def test_its_films_carry_marks_and_the_true_one_none(judged):
    out = judged[0]
    assert verify(out / "voice.mp4").source == Source.TRAINED.uri
    assert verify(out / "comparison.mp4").source == Source.COMPOSITE.uri
    assert verify(out / "truth.mp4").state is State.UNMARKED


def test_without_a_voice(offline, performance: Performance, speaking_avatar: Avatar, tmp_path):
    out = tmp_path / "report"
    list(judge(replace(speaking_avatar, voice={}), performance, out))
    assert not (out / "voice.mp4").exists()
    metrics = json.loads((out / "metrics.json").read_text())
    assert not {"voice", "free", "cross", "pasted", "shuffled sound"} & set(metrics["rows"])
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


def test_two_avatars_are_compared_frame_by_frame(offline, performance: Performance, speaking_avatar: Avatar, tmp_path):
    canonical = replace(speaking_avatar.canonical, colors=speaking_avatar.canonical.colors + 0.05)
    pairs = (speaking_avatar, performance), (replace(speaking_avatar, canonical=canonical, voice={}), performance)
    out = tmp_path / "compared"
    *_, last = compare(("good", "pale"), pairs, out)
    assert last == Wrote(out / "compare.html", "comparison")
    assert {path.name for path in out.iterdir()} == {"a", "b", "compare.html", "compare.json"}
    difference = json.loads((out / "compare.json").read_text())["b_less_a"]["replay"]["psnr_face"]
    assert difference["high"] < -1  # paler, on every frame
    assert difference["n"] == 10
    page = (out / "compare.html").read_text()
    assert "a is better" in page
    assert "b is better" not in page

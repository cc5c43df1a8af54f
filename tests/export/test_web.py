"""A folder for a static host."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from locutor.avatar.avatar import Avatar
from locutor.avatar.motion_rows import motion_rows
from locutor.capture.performance import Performance
from locutor.core.errors import OutputError
from locutor.core.events import Wrote
from locutor.export.take import recorded_take, spoken_take
from locutor.export.web import export_web


def test_the_folder_is_whole(speaking_avatar: Avatar, performance: Performance, tmp_path: Path):
    take = spoken_take(speaking_avatar, performance.sound[:20_000], 16_000, seed=4, text="one two")
    out = tmp_path / "site"
    assert list(export_web(speaking_avatar, "me", take, out)) == [Wrote(out, "web page")]
    assert [path.name for path in tmp_path.iterdir()] == ["site"]
    site = json.loads((out / "site.json").read_text())
    assert site == {"kind": "static", "avatar": "avatar/", "motion": "motion.json"}
    assert {"index.html", "page.js", "avatar"} <= {path.name for path in out.iterdir()}
    assert json.loads((out / site["avatar"] / "avatar.json").read_text())["name"] == "me"
    motion = json.loads((out / site["motion"]).read_text())
    rows = np.fromfile(out / motion["binary"], "<f4").reshape(motion["n_frames"], -1)
    np.testing.assert_array_equal(rows, motion_rows(speaking_avatar, take.motion))
    assert (motion["n_frames"], motion["text"]) == (32, "one two")  # ceil(20000 / 640)
    sound, rate = soundfile.read(out / motion["sound"])
    assert len(sound) / rate == pytest.approx(20_000 / 16_000, abs=1e-3)


def test_captured_motion_is_replayed(speaking_avatar: Avatar, performance: Performance, tmp_path: Path):
    list(export_web(speaking_avatar, "me", recorded_take(performance), tmp_path / "site"))
    assert json.loads((tmp_path / "site" / "motion.json").read_text())["n_frames"] == len(performance)


def test_a_folder_that_exists_is_left_alone(speaking_avatar: Avatar, performance: Performance, tmp_path: Path):
    with pytest.raises(OutputError, match="exists already"):
        list(export_web(speaking_avatar, "me", recorded_take(performance), tmp_path))
    assert not list(tmp_path.iterdir())

"""A folder for a static host."""

import hashlib
import io
import json
from dataclasses import replace
from pathlib import Path

import c2pa
import numpy as np
import pytest
import soundfile

from locutor.avatar.avatar import Avatar
from locutor.avatar.motion_rows import motion_rows
from locutor.capture.performance import Performance
from locutor.core.errors import MarkError, OutputError
from locutor.core.events import Wrote
from locutor.export.take import recorded_take, spoken_take
from locutor.export.web import export_web
from locutor.media.pictures import decode_rgb, encode_jpeg
from locutor.provenance.config import MarkConfig
from locutor.provenance.mark import Source, make_mark
from locutor.provenance.page import verify_page
from locutor.provenance.verify import State


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


@pytest.fixture
def site(speaking_avatar: Avatar, performance: Performance, tmp_path: Path) -> Path:
    list(export_web(speaking_avatar, "me", spoken_take(speaking_avatar, performance.sound[:3_000], 16_000, seed=4),
                    tmp_path / "site"))  # fmt: skip
    return tmp_path / "site"


def test_a_page_carries_a_mark_that_stands_for_all_its_files(site: Path, speaking_avatar: Avatar):
    verdict = verify_page(site)
    assert verdict.state is State.VALID
    assert verdict.source == Source.TRAINED.uri
    assert verdict.avatar_id == speaking_avatar.id
    files = {path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file()}
    assert set(verdict.files) == files - {"avatar/plate.jpg"}
    decode_rgb((site / "avatar" / "plate.jpg").read_bytes())
    picture = io.BytesIO((site / "avatar" / "plate.jpg").read_bytes())
    with c2pa.Reader("image/jpeg", picture) as reader:  # the library's own, as it is
        assert reader.get_validation_state() in ("Valid", "Trusted")


@pytest.mark.parametrize("name", ["index.html", "motion.bin", "avatar/avatar.bin", "avatar/plate.jpg", "sound.wav"])
def test_a_changed_or_missing_file_of_a_page_is_found(site: Path, name: str):
    data = bytearray((site / name).read_bytes())
    data[-20] ^= 1
    (site / name).write_bytes(bytes(data))
    assert verify_page(site).state is State.ALTERED
    (site / name).unlink()
    if name == "avatar/plate.jpg":
        with pytest.raises(MarkError):
            verify_page(site)
    else:
        assert name in verify_page(site).failures[0]


def test_a_page_may_be_left_unmarked(speaking_avatar: Avatar, performance: Performance, tmp_path: Path):
    take = spoken_take(speaking_avatar, performance.sound[:3_000], 16_000, seed=4)
    list(export_web(speaking_avatar, "me", take, tmp_path / "site", MarkConfig(mark=False)))
    assert verify_page(tmp_path / "site").state is State.UNMARKED


def test_names_in_a_foreign_mark_lead_nowhere_outside(site: Path, tmp_path: Path):
    (tmp_path / "secret").write_text("x")
    digest = hashlib.sha256(b"x").hexdigest()
    mark = make_mark(MarkConfig(), "0" * 16, None)
    for name in ("../secret", str(tmp_path / "secret")):
        (site / "avatar" / "plate.jpg").write_bytes(encode_jpeg(np.zeros((32, 32, 3), np.uint8), 90))
        replace(mark, files={name: digest}).seal(site / "avatar" / "plate.jpg")
        assert verify_page(site).state is State.ALTERED

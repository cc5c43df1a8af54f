"""Finding the head in films of all shapes."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from tests.capture.test_film import film_of, portraits

from locutor.capture.config import CaptureConfig
from locutor.capture.detect import FaceLandmarker
from locutor.capture.framing import Framing
from locutor.capture.search import _starts, choose_framing
from locutor.media.video import probe_video

pytestmark = [pytest.mark.real, pytest.mark.usefixtures("models_dir")]


def framing_of(path: Path) -> Framing:
    with FaceLandmarker() as landmarker:
        return choose_framing(path, probe_video(path), landmarker, CaptureConfig(size=256))


def on_a_wall(face: np.ndarray, width: int, height: int, left: int, top: int, side: int) -> np.ndarray:
    wall = np.full((height, width, 3), 120, np.uint8)
    wall[top : top + side, left : left + side] = cv2.resize(face, (side, side), interpolation=cv2.INTER_AREA)
    return wall


def inside(framing: Framing, left: int, top: int, side: int) -> bool:
    middle = left + side / 2, top + side / 2
    return (
        framing.left < middle[0] < framing.left + framing.side and framing.top < middle[1] < framing.top + framing.side
    )


def test_4k_with_a_small_face(media_dir, tmp_path):
    picture = on_a_wall(portraits(media_dir)[0], 3840, 2160, 2700, 900, 420)
    framing = framing_of(film_of(tmp_path / "4k.mp4", [picture], 3))
    assert inside(framing, 2700, 900, 420)
    assert framing.side < 1200


def test_portrait_film(media_dir, tmp_path):
    picture = on_a_wall(portraits(media_dir)[0], 270, 480, 20, 60, 230)
    framing = framing_of(film_of(tmp_path / "tall.mp4", [picture], 3))
    assert inside(framing, 20, 60, 230)


def test_greyscale(media_dir, tmp_path):
    grey = cv2.cvtColor(portraits(media_dir)[0], cv2.COLOR_RGB2GRAY)
    framing = framing_of(film_of(tmp_path / "grey.mp4", [np.repeat(grey[..., None], 3, 2)], 3))
    assert framing.side > 150


def test_a_film_turned_by_its_flag(media_dir, tmp_path):
    lying = np.ascontiguousarray(np.rot90(on_a_wall(portraits(media_dir)[0], 288, 480, 30, 60, 240)))
    path = film_of(tmp_path / "phone.mp4", [lying], 3)
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4 + 40  # a quarter turn in the track header, as phones write it
    turn = [0, 0x10000, 0, 0xFFFF0000, 0, 0, 0, 0, 0x40000000]
    data[at : at + 36] = b"".join(value.to_bytes(4, "big") for value in turn)
    path.write_bytes(data)
    info = probe_video(path)
    assert (info.width, info.height) == (288, 480)
    assert inside(framing_of(path), 30, 60, 240)


def test_tiles_cover_everything_and_overlap_by_half():
    for length, side in ((100, 100), (160, 90), (3840, 1080)):
        starts = _starts(length, side)
        assert starts[0] == 0
        assert starts[-1] == length - side
        assert np.diff(starts).max(initial=0) <= side / 2 + 1

import numpy as np
import pytest
from tests.synthetic.performer import person

from locutor.capture.framing import FACE_CENTRE, HEAD_TO_FRAME, Framing, frame_head
from locutor.core.errors import FootageError


def face_at(x: float, y: float, height_px: float) -> np.ndarray:
    """Landmarks whose box is centred on (x, y)."""
    mesh = person().mesh.astype(np.float32)
    height = np.linalg.norm(mesh[152, :2] - mesh[10, :2])
    points = mesh * height_px / height
    points[:, :2] += (x, y) - np.median(points[:, :2], axis=0)
    return points


def test_a_square_around_the_head():
    framing = frame_head([face_at(900, 500, 200)], 1920, 1080, 512)
    assert framing.side == round(HEAD_TO_FRAME * 200)
    assert framing.size == 512
    assert framing.left + framing.side / 2 == pytest.approx(900, abs=1)
    assert framing.top + FACE_CENTRE * framing.side == pytest.approx(500, abs=1)


def test_a_few_odd_detections_do_not_decide():
    usual = frame_head([face_at(900, 500, 200)] * 9, 1920, 1080, 512)
    framing = frame_head([face_at(900, 500, 200)] * 7 + [face_at(300, 900, 60)] * 2, 1920, 1080, 512)
    assert framing.side == usual.side
    assert abs(framing.left - usual.left) < 0.1 * usual.side
    assert abs(framing.top - usual.top) < 0.1 * usual.side


@pytest.mark.parametrize(("x", "y"), [(10, 10), (1910, 1070), (10, 1070), (1910, 10)])
def test_the_square_stays_in_the_film(x, y):
    framing = frame_head([face_at(x, y, 200)], 1920, 1080, 512)
    assert 0 <= framing.left <= 1920 - framing.side
    assert 0 <= framing.top <= 1080 - framing.side
    assert framing.left == (0 if x < 900 else 1920 - framing.side)


def test_nearly_all_is_all():
    framing = frame_head([face_at(320, 250, 180)], 640, 512, 512)  # 468 of 512 px
    assert (framing.side, framing.top) == (512, 0)


def test_a_face_larger_than_the_picture_takes_what_there_is():
    assert frame_head([face_at(160, 120, 200)], 320, 240, 512).side == 240


def test_a_small_face_is_refused_with_its_size():
    with pytest.raises(FootageError, match="only 40 px high"):
        frame_head([face_at(900, 500, 40)], 1920, 1080, 512)


def test_cut_takes_the_square():
    film = np.random.default_rng(0).integers(0, 255, (90, 120, 3)).astype(np.uint8)
    np.testing.assert_array_equal(Framing(30, 20, 64, 64).cut(film), film[20:84, 30:94])


@pytest.mark.parametrize("size", [32, 128])
def test_cut_scales_without_a_shift(size):
    y, x = np.mgrid[:90, :120]
    film = np.stack([2 * x, 2 * y, 0 * x], -1).astype(np.uint8)
    frame = Framing(30, 20, 64, size).cut(film).astype(float)
    assert frame.shape == (size, size, 3)
    centres = (np.arange(size) + 0.5) * 64 / size - 0.5
    inner = slice(size // 8, -size // 8)
    np.testing.assert_allclose(frame[size // 2, inner, 0], 2 * (30 + centres)[inner], atol=1.1)
    np.testing.assert_allclose(frame[inner, size // 2, 1], 2 * (20 + centres)[inner], atol=1.1)

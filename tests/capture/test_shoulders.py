import cv2
import numpy as np
import pytest

from locutor.capture.shoulders import CHEEKS, CHIN, shoulder_bands, shoulder_shifts, usual_at_zero
from locutor.capture.torso import TorsoTrack

SIZE, FINER = 256, 8
N, REFERENCE = 9, 4


def someone(left: float, right: float, slide: tuple[float, float] = (0.0, 0.0)) -> np.ndarray:
    """A head and a body whose shoulders stand lower by so many px."""
    dx, dy = slide
    on_left = [[-40, 238 + left], [90, 180 + left], [108, 170]]
    on_right = [[148, 170], [166, 180 + right], [296, 238 + right]]
    outline = np.array([*on_left, *on_right, [296, 300], [-40, 300]]) + [dx, dy]
    picture = np.full((SIZE * FINER, SIZE * FINER), 190, np.uint8)
    cv2.fillPoly(picture, [np.round(outline * FINER).astype(np.int32)], 40)
    cv2.ellipse(picture, (128 * FINER, 100 * FINER), (45 * FINER, 60 * FINER), 0, 0, 360, 120, -1)
    cv2.rectangle(picture, (100 * FINER, 140 * FINER), (156 * FINER, 185 * FINER), 120, -1)
    return cv2.resize(picture, (SIZE, SIZE), interpolation=cv2.INTER_AREA)


def landmarks() -> np.ndarray:
    points = np.full((478, 3), 128, np.float32)
    points[CHIN, :2] = 128, 160
    points[list(CHEEKS), 0] = 83, 173
    return points


@pytest.fixture(scope="module")
def matte() -> np.ndarray:
    return np.where(someone(0, 0) < 150, 255, 0).astype(np.uint8)


def track(slides: np.ndarray) -> TorsoTrack:
    motion = np.tile(np.eye(2, 3), (len(slides), 1, 1))
    motion[:, :, 2] = slides
    return TorsoTrack(motion, np.ones(len(slides)))


def test_shoulders_are_followed_apart_from_each_other_and_from_the_torso(matte):
    t = np.arange(N) - REFERENCE
    rise = np.stack([1.2 * t, -0.7 * t], 1)
    slides = np.stack([0.8 * t, 0.5 * t], 1)
    frames = [someone(*rise[k], slide=tuple(slides[k])) for k in range(N)]
    found = shoulder_shifts(frames.__getitem__, track(slides), REFERENCE, landmarks(), matte)
    assert np.abs(found - rise).max() < 0.35
    np.testing.assert_allclose(found[REFERENCE], 0, atol=0.05)


def test_without_contrast_nothing_moves(matte):
    noise = np.random.default_rng(0)
    frames = [noise.normal(100, 1, (SIZE, SIZE)).astype(np.uint8) for _ in range(N)]
    assert (
        np.abs(shoulder_shifts(frames.__getitem__, track(np.zeros((N, 2))), REFERENCE, landmarks(), matte)).max() < 0.5
    )


def test_a_shoulder_outside_the_picture_is_still(matte):
    alone = matte.copy()
    alone[:, 128:] = 0
    alone[160:, :128] = 255
    frames = [someone(0, float(k)) for k in range(N)]
    left, right = shoulder_bands(landmarks(), alone)
    assert left.any()
    assert not right.any()
    assert not shoulder_shifts(frames.__getitem__, track(np.zeros((N, 2))), REFERENCE, landmarks(), alone)[:, 1].any()


def test_the_usual_place_is_zero():
    shifts = np.random.default_rng(0).normal(3, 1, (50, 2)).astype(np.float32)
    np.testing.assert_allclose(np.median(usual_at_zero(shifts, 40)[:40], axis=0), 0, atol=1e-6)

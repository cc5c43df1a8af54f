import numpy as np
import pytest

from locutor.evaluate.blinks import EYES, blinks_met, eye_openings


def test_openings_do_not_depend_on_size():
    landmarks = np.random.default_rng(0).normal(size=(5, 478, 3)).astype(np.float32)
    np.testing.assert_allclose(eye_openings(landmarks), eye_openings(3 * landmarks), rtol=1e-5)


def test_opening_of_known_points():
    landmarks = np.zeros((1, 478, 3), np.float32)
    for outer, inner, above_a, above_b, _, _ in EYES:
        landmarks[0, outer, 0], landmarks[0, inner, 0] = -10, 10
        landmarks[0, [above_a, above_b], 1] = -6
    assert eye_openings(landmarks)[0] == pytest.approx(0.3)


def blinking(*closed: int, lowest: float = 0.1) -> np.ndarray:
    opening = np.full(60, 0.3)
    for k in closed:
        opening[k - 1 : k + 2] = (0.14, lowest, 0.14)
    return opening


def counted(truth: np.ndarray, rendered: np.ndarray) -> tuple[int, int]:
    met = blinks_met(truth, rendered)
    return int(np.nansum(met)), int(np.isfinite(met).sum())


def test_blinks_that_close_and_blinks_that_do_not():
    truth = blinking(10, 30, 50)
    assert counted(truth, truth) == (3, 3)
    assert counted(truth, blinking(10, 50)) == (2, 3)
    assert counted(truth, np.full(60, 0.3)) == (0, 3)
    assert counted(truth, np.full(60, np.nan)) == (0, 3)
    assert counted(truth, blinking(10, 30, 50, lowest=0.13)) == (3, 3)
    assert counted(blinking(30), blinking(31)) == (1, 1)
    assert counted(np.full(60, 0.3), truth) == (0, 0)


def test_a_lid_that_stays_half_open_is_not_closed():
    truth = blinking(10)
    half = np.full(60, 0.3)
    half[9:12] = 0.2
    assert counted(truth, half) == (0, 1)

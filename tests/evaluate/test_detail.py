import cv2
import numpy as np
import pytest

from locutor.evaluate.detail import EYES, DetailMeter, Ratio, closed_blinks, eye_openings, flicker, gradient_energy
from locutor.evaluate.masks import Masks

SIZE = 32
WHOLE = np.ones((SIZE, SIZE), bool)
BOX = np.array([0, 0, SIZE, SIZE])
MASKS = Masks(*[WHOLE] * 5)


def noise(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(60, 190, (SIZE, SIZE, 3)).astype(np.uint8)


def grey(level: int) -> np.ndarray:
    return np.full((SIZE, SIZE, 3), level, np.uint8)


def test_gradient_energy_of_a_ramp():
    ramp = np.repeat(np.arange(0, 5 * SIZE, 5, dtype=np.uint8)[None, :, None], SIZE, 0).repeat(3, 2)
    energy = gradient_energy(ramp)
    np.testing.assert_allclose(energy[:, 1:-1], 100)  # central difference without the half: 10 levels


def test_a_ratio_counts_inside_its_mask():
    where = np.zeros((SIZE, SIZE), bool)
    where[:4] = True
    ratio = Ratio()
    ratio.add(np.ones((SIZE, SIZE), np.float32), np.where(where, 0.5, 9).astype(np.float32), where)
    assert ratio.share == 0.5
    assert Ratio().share == 0


def test_a_blurred_clip_is_less_sharp_and_a_copy_as_sharp():
    copy, blurred = DetailMeter(), DetailMeter()
    for seed in range(3):
        truth = noise(seed)
        copy.add(truth, truth, MASKS, BOX, BOX)
        blurred.add(truth, cv2.GaussianBlur(truth, (0, 0), 1.0), MASKS, BOX, BOX)
    assert set(copy.figures().values()) == {1.0}
    assert blurred.figures()["sharpness_hair"] < 0.2


def test_steady_change_does_not_flicker_and_a_flash_does():
    assert flicker([grey(10), grey(20), grey(30)]).max() == 0
    np.testing.assert_allclose(flicker([grey(10), grey(40), grey(10)]), 60)


def test_flicker_is_a_share_of_the_truths():
    meter = DetailMeter()
    for true_level, level in ((10, 100), (30, 110), (10, 100), (30, 110)):
        meter.add(grey(true_level), grey(level), MASKS, BOX, BOX)
    assert meter.figures()["flicker_torso"] == pytest.approx(0.5)


def test_a_still_rendering_of_a_moving_truth_has_no_flicker():
    meter = DetailMeter()
    for seed in range(4):
        meter.add(noise(seed), noise(0), MASKS, BOX, BOX)
    assert meter.figures()["flicker_background"] == 0


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


def test_blinks_that_close_and_blinks_that_do_not():
    truth = blinking(10, 30, 50)
    assert closed_blinks(truth, truth) == (3, 3)
    assert closed_blinks(truth, blinking(10, 50)) == (2, 3)
    assert closed_blinks(truth, np.full(60, 0.3)) == (0, 3)
    assert closed_blinks(truth, np.full(60, np.nan)) == (0, 3)
    assert closed_blinks(truth, blinking(10, 30, 50, lowest=0.13)) == (3, 3)
    assert closed_blinks(blinking(30), blinking(31)) == (1, 1)
    assert closed_blinks(np.full(60, 0.3), truth) == (0, 0)


def test_a_lid_that_stays_half_open_is_not_closed():
    truth = blinking(10)
    half = np.full(60, 0.3)
    half[9:12] = 0.2
    assert closed_blinks(truth, half) == (0, 1)

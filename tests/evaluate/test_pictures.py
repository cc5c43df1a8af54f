import math

import cv2
import numpy as np
import pytest
import torch

from locutor.evaluate.figure import figure
from locutor.evaluate.masks import Masks
from locutor.evaluate.pictures import CAP_DB, PictureMeter, Places, flicker, gradient_energy, picture_figures, psnr_db
from locutor.evaluate.structure import gradient_deviation, luma, ms_ssim, pyramid_distance
from locutor.splat.photometric_reference import ssim_map

SIZE = 48
WHOLE = np.ones((SIZE, SIZE), bool)
BOX = np.array([0, 0, SIZE, SIZE])


def picture(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 200, (SIZE, SIZE, 3)).astype(np.uint8)


def grey(level: int) -> np.ndarray:
    return np.full((SIZE, SIZE, 3), level, np.uint8)


def places(**changed: np.ndarray) -> Places:
    names = ("person", "skin", "hair", "torso", "neck", "background")
    masks = Masks(**{name: changed.get(name, WHOLE) for name in names})
    return Places(masks, {name: changed.get(name, BOX) for name in ("face", "mouth", "eye_right", "eye_left")})


def metered(*frames: tuple[np.ndarray, np.ndarray]) -> dict[str, float]:
    meter = PictureMeter()
    for truth, rendered in frames:
        meter.add(truth, rendered, places())
    return {name: figure(m).value for name, m in meter.figures().items()}


def test_psnr_of_a_known_error():
    assert psnr_db(picture(), picture() + np.uint8(1)) == pytest.approx(20 * math.log10(255))
    assert psnr_db(picture(), picture() + np.uint8(10)) == pytest.approx(20 * math.log10(25.5), abs=1e-4)
    assert psnr_db(picture(), picture()) == CAP_DB


def test_figures_of_the_same_picture():
    figures = picture_figures(picture(), picture(), places())
    assert figures["ssim"] == pytest.approx(1, abs=1e-5)
    assert figures["ms_ssim"] == pytest.approx(1, abs=1e-5)
    assert figures["gradient_deviation"] == figures["pyramid_distance"] == 0
    assert {value for name, value in figures.items() if name.startswith("psnr")} == {CAP_DB}


def test_places_are_where_they_are_looked_at():
    truth, changed = picture(), picture()
    changed[20:30, 10:40] += 20  # rows, columns
    neck, person = np.zeros((SIZE, SIZE), bool), WHOLE.copy()
    neck[20:30, 10:40] = True
    person[:20] = False
    figures = picture_figures(
        truth, changed, places(face=np.array([10, 20, 40, 30]), mouth=np.array([0, 0, 9, 9]), neck=neck, person=person,
                               skin=~WHOLE, eye_left=np.array([0, 0, 5, 5]), eye_right=np.array([40, 40, 45, 45]))
    )  # fmt: skip
    known = pytest.approx(20 * math.log10(255 / 20), abs=1e-4)
    assert figures["psnr_face"] == figures["psnr_neck"] == known
    assert figures["psnr_mouth"] == figures["psnr_eyes"] == CAP_DB
    assert figures["psnr_person"] == pytest.approx(figures["psnr_neck"] + 10 * math.log10(28 * 48 / 300), abs=1e-3)
    assert math.isnan(figures["psnr_skin"])


def test_ssim_is_the_published_one():
    truth, other = picture(), picture(1) // 2 + picture() // 2
    as_float = [torch.from_numpy(p.astype(np.float32) / 255) for p in (truth, other)]
    found = picture_figures(truth, other, places())["ssim"]
    assert found == pytest.approx(float(ssim_map(*as_float).mean()), abs=1e-4)


def test_ms_ssim_against_scikit_image_where_only_one_scale_fits():
    from skimage.metrics import structural_similarity

    a, b = (np.random.default_rng(s).uniform(0, 255, (21, 21)).astype(np.float32) for s in (0, 1))
    b = (a + b) / 2
    whole = structural_similarity(a, b, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=255,
                                  full=True)[1]  # fmt: skip
    assert ms_ssim(a, b) == pytest.approx(float(whole.mean()), abs=0.02)  # the borders differ


def test_all_measures_rise_with_blur_and_with_noise():
    rng = np.random.default_rng(0)
    truth = cv2.resize(rng.integers(0, 255, (32, 32, 3), dtype=np.uint8), (256, 256))
    for spoil in (
        lambda k: cv2.GaussianBlur(truth, (0, 0), k),
        lambda k: np.clip(truth + rng.normal(0, 8 * k, truth.shape), 0, 255).astype(np.uint8),
    ):
        spoilt = [luma(truth), *(luma(spoil(k)) for k in (1, 2, 4))]
        for measure, sign in ((ms_ssim, -1), (gradient_deviation, 1), (pyramid_distance, 1)):
            values = [sign * measure(spoilt[0], other) for other in spoilt]
            assert values == sorted(values), measure.__name__
            assert values[0] < values[1]


def test_gradient_energy_of_a_ramp():
    ramp = np.repeat(np.arange(0, 5 * SIZE, 5, dtype=np.uint8)[None, :, None], SIZE, 0).repeat(3, 2)
    np.testing.assert_allclose(gradient_energy(ramp)[:, 1:-1], 100)  # central difference without the half: 10 levels


def test_a_blurred_clip_is_less_sharp_and_a_copy_as_sharp():
    copy = metered(*((picture(s), picture(s)) for s in range(3)))
    blurred = metered(*((picture(s), cv2.GaussianBlur(picture(s), (0, 0), 1.0)) for s in range(3)))
    assert copy["sharpness_face"] == copy["flicker_torso"] == 1
    assert blurred["sharpness_hair"] < 0.2


def test_steady_change_does_not_flicker_and_a_flash_does():
    assert flicker((grey(10), grey(20), grey(30))).max() == 0
    np.testing.assert_allclose(flicker((grey(10), grey(40), grey(10))), 60)
    frames = [(grey(a), grey(b)) for a, b in ((10, 100), (30, 110), (10, 100), (30, 110))]
    assert metered(*frames)["flicker_torso"] == pytest.approx(0.5)
    assert metered(*((picture(s), picture(0)) for s in range(4)))["flicker_background"] == 0

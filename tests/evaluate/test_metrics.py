import math
from dataclasses import fields

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tests.synthetic.performer import take, true_landmarks

from locutor.core.face import LIP_GAP, OUTER_EYE_CORNERS
from locutor.evaluate.metrics import (
    CAP_DB,
    MAX_LAG,
    ImageFigures,
    best_lag,
    compare_images,
    correlation,
    lip_distance_px,
    lip_gap,
    mean_figures,
    psnr_db,
    roll_correlations,
)
from locutor.splat.photometric_reference import ssim_map


def picture(seed: int = 0, size: int = 48) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 200, (size, size, 3)).astype(np.uint8)


def wandering(n: int, seed: int) -> np.ndarray:
    """A signal as smooth as speech."""
    noise = np.random.default_rng(seed).normal(size=n + 8)
    return np.convolve(noise, np.hanning(9), "valid")


def test_psnr_of_a_known_error():
    truth = picture()
    assert psnr_db(truth, truth + np.uint8(1)) == pytest.approx(20 * math.log10(255))
    assert psnr_db(truth, truth + np.uint8(10)) == pytest.approx(20 * math.log10(25.5), abs=1e-4)


def test_psnr_of_the_same_picture_is_finite():
    assert psnr_db(picture(), picture()) == CAP_DB


def whole() -> np.ndarray:
    return np.ones((48, 48), bool)


def test_figures_of_the_same_picture():
    box = np.array([5, 6, 30, 40])
    figures = compare_images(picture(), picture(), box, box, whole(), whole())
    assert figures.ssim == pytest.approx(1, abs=1e-5)
    assert figures.psnr == figures.psnr_face == figures.psnr_mouth == CAP_DB


def test_boxes_are_where_they_are_looked_at():
    truth, changed = picture(), picture()
    changed[20:30, 10:40] += 20  # rows, columns
    face, mouth = np.array([10, 20, 40, 30]), np.array([0, 0, 9, 9])
    figures = compare_images(truth, changed, face, mouth, whole(), whole())
    assert figures.psnr_face == pytest.approx(20 * math.log10(255 / 20), abs=1e-4)
    assert figures.psnr_mouth == CAP_DB
    assert figures.psnr_face < figures.psnr < CAP_DB


def test_masks_are_where_they_are_looked_at():
    truth, changed = picture(), picture()
    changed[20:30, 10:40] += 20
    person, skin = whole(), np.zeros((48, 48), bool)
    person[:20] = False
    skin[20:30, 10:40] = True
    box = np.array([0, 0, 48, 48])
    figures = compare_images(truth, changed, box, box, person, skin)
    assert figures.psnr_skin == pytest.approx(20 * math.log10(255 / 20), abs=1e-4)
    assert figures.psnr_person == pytest.approx(figures.psnr_skin + 10 * math.log10(28 * 48 / 300), abs=1e-3)
    assert compare_images(truth, changed, box, box, person, ~whole()).psnr_skin == CAP_DB


def test_ssim_is_the_published_one():
    truth, other = picture(), picture(1) // 2 + picture() // 2
    figures = compare_images(truth, other, *[np.array([0, 0, 48, 48])] * 2, whole(), whole())
    as_float = [torch.from_numpy(p.astype(np.float32) / 255) for p in (truth, other)]
    assert figures.ssim == pytest.approx(float(ssim_map(*as_float).mean()), abs=1e-4)
    assert 0.1 < figures.ssim < 0.95


def test_means_over_frames():
    box = np.array([0, 0, 48, 48])
    truth = picture()
    figures = [compare_images(truth, truth + np.uint8(e), box, box, whole(), whole()) for e in (1, 10)]
    expected = 10 * math.log10(255**2 / 10)  # the mean in dB
    assert mean_figures(figures)["psnr"] == pytest.approx(expected, abs=1e-3)
    assert set(mean_figures(figures)) == {f.name for f in fields(ImageFigures)}


@given(st.integers(-MAX_LAG, MAX_LAG), st.integers(0, 20))
def test_the_lag_of_a_late_signal_is_positive(lag, seed):
    long = wandering(200, seed)
    truth = long[50:150]
    driven = long[50 - lag : 150 - lag]  # at frame t it shows what was due at t - lag
    assert best_lag(truth, driven) == lag


def test_correlation_of_known_signals():
    a = wandering(100, 0)
    assert correlation(a, 3 * a + 2) == pytest.approx(1)
    assert correlation(a, -a) == pytest.approx(-1)
    assert correlation(a, np.full(100, 0.3)) == 0
    assert correlation(np.full(100, 0.3), a) == 0


def test_frames_without_a_face_are_left_out():
    a = wandering(100, 0)
    b = a.copy()
    b[10:20] = np.nan
    assert correlation(a, b) == pytest.approx(1)
    assert correlation(a, np.full(100, np.nan)) == 0


def test_chance_of_unrelated_signals_is_about_zero():
    rolls = roll_correlations(wandering(300, 1), wandering(300, 2), apart=25)
    assert len(rolls) == 300 - 2 * 25 + 1
    assert abs(rolls.mean()) < 0.05
    assert np.abs(rolls).max() < 0.5


def test_chance_leaves_out_the_true_position():
    a = wandering(200, 3)
    assert roll_correlations(a, a, apart=25).max() < 0.6


def test_lip_gap_does_not_depend_on_size_place_or_turn():
    landmarks = true_landmarks(take())[:20]
    gap = lip_gap(landmarks)
    turn = np.array([[0.8, -0.6, 0], [0.6, 0.8, 0], [0, 0, 1]], np.float32)
    moved = 2.5 * landmarks @ turn.T + np.float32([30, -10, 4])
    np.testing.assert_allclose(lip_gap(moved), gap, rtol=1e-4)
    assert correlation(gap, take().openness[:20]) > 0.99


def test_lip_gap_of_known_points():
    landmarks = np.zeros((1, 478, 3), np.float32)
    landmarks[0, OUTER_EYE_CORNERS[1]] = (100, 0, 55)
    landmarks[0, LIP_GAP[1]] = (0, 30, 99)
    assert lip_gap(landmarks)[0] == pytest.approx(0.3)


def test_lip_distance():
    landmarks = true_landmarks(take())[:5]
    moved = landmarks + np.float32([3, 4, 100])
    np.testing.assert_allclose(lip_distance_px(landmarks, moved), 5, rtol=1e-5)
    moved[2] = np.nan
    distance = lip_distance_px(landmarks, moved)
    assert np.isnan(distance[2])
    assert np.isfinite(distance[[0, 1, 3, 4]]).all()

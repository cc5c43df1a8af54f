import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.synthetic.performer import take, true_landmarks

from locutor.core.face import LIP_GAP, OUTER_EYE_CORNERS
from locutor.evaluate.figure import MAX_LAG
from locutor.evaluate.metrics import (
    best_lag,
    correlation,
    lip_distance_px,
    lip_gap,
    roll_correlations,
)


def wandering(n: int, seed: int) -> np.ndarray:
    """A signal as smooth as speech."""
    noise = np.random.default_rng(seed).normal(size=n + 8)
    return np.convolve(noise, np.hanning(9), "valid")


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

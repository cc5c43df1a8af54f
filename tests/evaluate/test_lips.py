import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.synthetic.performer import person, take, true_landmarks, true_tracking

from locutor.core.clock import SAMPLES_PER_FRAME
from locutor.core.face import LIPS, MOUTH_SLICE
from locutor.evaluate.faces import seen_lips, without_pose
from locutor.evaluate.figure import figure
from locutor.evaluate.lips import Lips, closures_met, limits_of, lip_figures, lips_of, loudness_and_movement, runs
from locutor.evaluate.timing import misalignment

N = 200


def speaking(n: int = N, seed: int = 0, gain: float = 1.0, late: int = 0) -> Lips:
    """Syllables of random length and width."""
    rng = np.random.default_rng(seed)
    gap = np.concatenate([h * np.sin(np.pi * np.arange(k) / k) ** 2 for k, h in zip(rng.integers(5, 14, 60),
                          rng.uniform(0.08, 0.3, 60), strict=True)])[: n + 24]  # fmt: skip
    limits = limits_of(gap)
    gap = gain * gap[12 - late : 12 - late + n]
    points = np.zeros((n, len(LIPS), 2))
    points[:, 20:, 1] = gap[:, None]
    return Lips(points, gap, limits)


def value(name: str, truth: Lips, driven: Lips) -> float:
    return figure(lip_figures(truth, driven, np.zeros(0, np.float32))[name]).value


def test_the_truth_against_itself_is_perfect():
    truth = speaking()
    figures = {name: figure(m).value for name, m in lip_figures(truth, truth, np.zeros(0, np.float32)).items()}
    assert figures.pop("lip_gap_lag_frames") == figures.pop("lip_distance_percent") == 0
    assert figures.pop("timing_error_ms") == 0
    np.testing.assert_allclose(list(figures.values()), 1)


@given(st.integers(1, 8))
def test_misalignment_grows_with_the_delay(late):
    truth = speaking()
    error, match = (np.nanmean(x) for x in misalignment(truth.gap, speaking(late=late).gap))
    if late <= 4:  # then the next syllable is as near
        assert error == pytest.approx(40 * late, rel=0.35)
        assert match > 0.6
    assert value("lip_gap_lag_frames", truth, speaking(late=late)) == late


def test_a_mouth_that_does_not_move_matches_nothing_instead_of_erring_nowhere():
    truth = speaking()
    error, match = misalignment(truth.gap, np.full(N, 0.1))
    assert np.isnan(error).all()
    assert np.nanmean(match) == 0


def test_small_noise_makes_no_openings():
    truth = speaking()
    noisy = truth.gap + np.random.default_rng(0).normal(0, 0.003, N)
    error, match = (np.nanmean(x) for x in misalignment(truth.gap, noisy))
    assert error < 15
    assert match > 0.85


def test_too_short_or_unseen_is_no_figure():
    for gaps in (np.zeros(3), np.full(50, np.nan)):
        error, match = misalignment(gaps, gaps)
        assert np.isnan(error).all()
        assert np.isnan(match).all()


def test_closures():
    truth, driven = np.full(30, 0.8), np.full(30, 0.8)
    truth[5:8], truth[20] = 0.02, 0.05
    driven[8] = 0.1  # one frame late
    met = closures_met(truth, driven)
    assert np.nansum(met) == 1
    assert np.isfinite(met).sum() == 2
    assert np.nanmean(closures_met(driven, truth)) == 1  # what closes closes rightly
    assert runs(np.array([True, False, True, True])) == [(0, 1), (2, 4)]


def test_width_moves_the_spread_and_hardly_the_timing():
    truth, wide = speaking(), speaking(gain=2)
    assert value("lip_spread_share", truth, wide) == pytest.approx(2)
    assert value("timing_error_ms", truth, wide) < 10
    assert value("lip_gap_correlation", truth, wide) == pytest.approx(1)


def test_loud_seconds_are_those_in_which_lips_move():
    lips = speaking(250)
    lips.points[100:175] = 0
    sound = np.random.default_rng(0).normal(0, 0.1, 250 * SAMPLES_PER_FRAME).astype(np.float32)
    sound[100 * SAMPLES_PER_FRAME : 175 * SAMPLES_PER_FRAME] *= 0.01
    rows = loudness_and_movement(sound, lips)
    assert rows.shape == (10, 2)
    assert np.corrcoef(rows.T)[0, 1] > 0.8
    quiet, loud = (figure(lip_figures(lips, lips, k * sound)["loudness_correlation"]).value for k in (0.01, 30))
    assert quiet == pytest.approx(loud)
    assert loud > 0.8
    still = Lips(np.zeros_like(lips.points), lips.gap, lips.limits)
    assert figure(lip_figures(lips, still, sound)["loudness_correlation"]).value == 0


def test_lips_seen_by_a_landmarker_are_those_of_the_motion():
    tracking = true_tracking(take())
    (face,) = tracking.motion.require("face")
    told = lips_of(face[:, MOUTH_SLICE])
    seen = seen_lips(without_pose(true_landmarks(take()), tracking.neutral), tracking.neutral, told.limits)
    np.testing.assert_allclose(seen.gap, told.gap, atol=0.02)
    assert np.linalg.norm(seen.points - told.points, axis=-1).mean() < 0.02


def test_pose_is_taken_out_and_lost_frames_stay_lost():
    mesh = person().mesh.astype(np.float32)
    turn = np.array([[0.8, -0.6, 0], [0.6, 0.8, 0], [0, 0, 1]], np.float32)
    frames = np.stack([mesh, 50 * mesh @ turn.T + 3, np.full_like(mesh, np.nan)])
    laid = without_pose(frames, mesh)
    np.testing.assert_allclose(laid[:2], np.stack([mesh, mesh]), atol=1e-5)
    assert np.isnan(laid[2]).all()

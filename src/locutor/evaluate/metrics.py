"""Plain numbers of landmarks and signals: openings, distances, correlation and lag."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Float32
from numpy import ndarray

from locutor.core.face import LIP_GAP, LIPS, OUTER_EYE_CORNERS
from locutor.evaluate.figure import MAX_LAG, STILL


def lip_gap(landmarks: Float32[ndarray, "T 478 3"]) -> Float[ndarray, " T"]:
    """Opening of the lips as a share of the distance of the outer eye corners."""
    upper, lower = LIP_GAP
    xy = landmarks[..., :2]
    return np.linalg.norm(xy[:, upper] - xy[:, lower], axis=1) / eye_distance_px(landmarks)


def lip_distance_px(truth: Float32[ndarray, "T 478 3"], rendered: Float32[ndarray, "T 478 3"]) -> Float[ndarray, " T"]:
    """Mean distance of the lip landmarks per frame, px; not a number where no face was found."""
    lips = list(LIPS)
    return np.linalg.norm(truth[:, lips, :2] - rendered[:, lips, :2], axis=-1).mean(1)


def eye_distance_px(landmarks: Float32[ndarray, "T 478 3"]) -> Float[ndarray, " T"]:
    """Distance of the outer eye corners in every frame, px: what figures in per cent of the face's size refer to."""
    right, left = OUTER_EYE_CORNERS
    return np.linalg.norm(landmarks[:, right, :2] - landmarks[:, left, :2], axis=1)


def correlation(truth: Float[ndarray, " T"], driven: Float[ndarray, " T"]) -> float:
    """Pearson correlation over the frames where both are numbers.

    0 where nothing moves: a spread below `STILL` of the truth's is the landmark detector's noise, and its
    correlation would say nothing.
    """
    known = np.isfinite(truth) & np.isfinite(driven)
    a, b = truth[known].astype(np.float64), driven[known].astype(np.float64)
    if len(a) < 3 or a.std() == 0 or b.std() < STILL * a.std():
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])


def best_lag(truth: Float[ndarray, " T"], driven: Float[ndarray, " T"]) -> int:
    """Frames by which `driven` comes late, at the best correlation within +-12 frames."""
    n = len(truth)
    lags = range(-min(MAX_LAG, n // 3), min(MAX_LAG, n // 3) + 1)
    return max(
        lags, key=lambda lag: correlation(truth[max(0, -lag) : n - max(0, lag)], driven[max(0, lag) : n + min(0, lag)])
    )


def roll_correlations(truth: Float[ndarray, " T"], driven: Float[ndarray, " T"], apart: int) -> Float[ndarray, " R"]:
    """Chance: correlations under all circular shifts of at least `apart` frames."""
    return np.array([correlation(truth, np.roll(driven, shift)) for shift in range(apart, len(truth) - apart + 1)])

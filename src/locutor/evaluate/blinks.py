"""Eyes that open and close, as landmarks show them."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Float32
from numpy import ndarray

from locutor.evaluate.lips import runs

OPEN_PERCENTILE = 60  # of the opening of the eyes; most of the time they are open
CLOSED = 0.5  # share of the open eye's opening below which a blink is closed
TOLERANCE = 0.15  # of the open eye, by which a rendered lid may stay higher than the true one
LATE = 1  # frames that a rendered blink may be off
# Outer corner, inner corner, two above, two below them, of MediaPipe's mesh.
EYES = ((33, 133, 160, 158, 144, 153), (263, 362, 387, 385, 373, 380))


def eye_openings(landmarks: Float32[ndarray, "T 478 3"]) -> Float[ndarray, " T"]:
    """Mean aspect ratio of both eyes (Soukupova & Cech 2016, eq. 1); not a number where no face was found."""
    xy = landmarks[..., :2].astype(np.float64)
    ratios = []
    for outer, inner, above_a, above_b, below_a, below_b in EYES:
        height = np.linalg.norm(xy[:, above_a] - xy[:, below_a], axis=1)
        height = height + np.linalg.norm(xy[:, above_b] - xy[:, below_b], axis=1)
        ratios.append(height / (2 * np.linalg.norm(xy[:, outer] - xy[:, inner], axis=1) + 1e-9))
    return np.mean(ratios, axis=0)


def usual_opening(opening: Float[ndarray, " T"]) -> float:
    """That of the open eye."""
    return float(np.nanpercentile(opening, OPEN_PERCENTILE)) if np.isfinite(opening).any() else float("nan")


def blinks_met(truth: Float[ndarray, " T"], rendered: Float[ndarray, " T"]) -> Float[ndarray, " T"]:
    """1 or 0 at every blink of the truth: does it close in the rendering too. Not a number elsewhere.

    A blink is a run of frames in which the eyes open to less than `CLOSED` of the usual. It closes in the rendering
    when the lids come as near as in the truth, to within `TOLERANCE` of the open eye, at most `LATE` frames off.

    Args:
        truth, rendered: `eye_openings` of the same frames.
    """
    usual = usual_opening(truth)
    met = np.full(len(truth), np.nan)
    for start, end in runs(truth < CLOSED * usual):
        seen = rendered[max(0, start - LATE) : end + LATE]
        lowest = np.nanmin(seen) if np.isfinite(seen).any() else np.inf
        met[(start + end) // 2] = float(lowest <= np.nanmin(truth[start:end]) + TOLERANCE * usual)
    return met

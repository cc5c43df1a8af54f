"""Mean temporal misalignment of two mouths (Chae-Yeon et al. 2025, "Perceptually Accurate 3D Talking Head", MTM).

The lip gaps are smoothed and aligned by derivative dynamic time warping (Keogh & Pazzani 2001); where the path joins an
opening (a closing) of the one with one of the other, their distance in time counts. A mouth that hardly moves has
nothing to join and no error, so the share of joined ones belongs to the figure.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray
from scipy.ndimage import gaussian_filter1d
from scipy.signal import find_peaks

from locutor.core.clock import FPS

SMOOTHING = 2.0  # frames, as in the paper's code
NEAR_PATH = (
    1  # frames beside the path that an extremum may lie; the paper's code wants it on the path, which noise moves
)
BAND = 25  # frames that the two may be apart
PROMINENCE = 0.05  # of the truth's range: what is less is noise (the paper's code takes all, also in silence)


def misalignment(
    truth: Float[ndarray, " T"], driven: Float[ndarray, " T"]
) -> tuple[Float[ndarray, " T"], Float[ndarray, " T"]]:
    """Misalignment of the truth's openings and closings.

    Args:
        truth, driven: lip gaps; frames that are not numbers are bridged.

    Returns:
        Error in ms, and 1 or 0 for joined or not; not a number in frames without an extremum of the truth, and the
        error where it is not joined.
    """
    errors, joined = np.full(len(truth), np.nan), np.full(len(truth), np.nan)
    if len(truth) < 5 or not (np.isfinite(truth).any() and np.isfinite(driven).any()):
        return errors, joined
    a, b = (gaussian_filter1d(_bridged(gap), SMOOTHING) for gap in (truth, driven))
    least = PROMINENCE * float(np.ptp(a))
    path = _warping_path(_derivative(a), _derivative(b))
    own = [_extrema(sign * a, least) for sign in (1, -1)]
    bounds = np.unique(np.concatenate([[-1], *own, [len(a)]]))
    for sign, extrema in zip((1, -1), own, strict=True):
        joined[extrema] = 0
        theirs = _extrema(sign * b, least)
        is_own = np.zeros(len(a), bool)
        is_own[extrema] = True
        for i, met in path[is_own[path[:, 0]]]:
            j = theirs[np.argmin(np.abs(theirs - met))] if len(theirs) else -1
            if j < 0 or abs(j - met) > NEAR_PATH:
                continue
            place = np.searchsorted(bounds, i)
            if bounds[place - 1] < j < bounds[place + 1]:
                joined[i] = 1
                errors[i] = np.nanmin([errors[i], abs(i - j) * 1000 / FPS])
    return errors, joined


def _bridged(gap: Float[ndarray, " T"]) -> Float[ndarray, " T"]:
    frames, known = np.arange(len(gap)), np.isfinite(gap)
    return np.interp(frames, frames[known], gap[known])


def _extrema(gap: Float[ndarray, " T"], least: float) -> Int[ndarray, " E"]:
    return find_peaks(gap, prominence=max(least, 1e-9))[0]


def _derivative(x: Float[ndarray, " T"]) -> Float[ndarray, " T"]:
    """Keogh & Pazzani, eq. 5; the ends repeat their neighbours."""
    inner = ((x[1:-1] - x[:-2]) + (x[2:] - x[:-2]) / 2) / 2
    return np.concatenate([inner[:1], inner, inner[-1:]])


def _warping_path(a: Float[ndarray, " T"], b: Float[ndarray, " T"]) -> Int[ndarray, "P 2"]:
    """Cheapest monotonic path of pairs (i, j) from (0, 0) to the ends, |i - j| <= `BAND`.

    One anti-diagonal at a time: on it no cell depends on another.
    """
    n = len(a)
    rows = np.arange(n)
    came = np.zeros((2 * n - 1, n), np.uint8)  # 0: both went on, 1: i alone, 2: j alone
    before, last = np.full(n, np.inf), np.full(n, np.inf)
    last[0] = (a[0] - b[0]) ** 2
    for k in range(1, 2 * n - 1):
        columns = k - rows
        inside = (columns >= 0) & (columns < n) & (np.abs(rows - columns) <= BAND)
        options = np.full((3, n), np.inf)
        options[0, 1:], options[1, 1:], options[2] = before[:-1], last[:-1], last
        came[k] = options.argmin(0)
        cost = (a - b[np.clip(columns, 0, n - 1)]) ** 2 + options.min(0)
        before, last = last, np.where(inside, cost, np.inf)
    i, j, path = n - 1, n - 1, [(n - 1, n - 1)]
    while i or j:
        step = came[i + j, i]
        i, j = i - (step != 2), j - (step != 1)
        path.append((i, j))
    return np.array(path[::-1])

"""Figures of speaking lips against true ones: how far, how alike, when, how wide, whether they close."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float32
from numpy import ndarray

from locutor.core.clock import FPS, SAMPLES_PER_FRAME
from locutor.core.face import LIPS, MOUTH_SLICE
from locutor.drive.voice import lip_gap
from locutor.evaluate.figure import Measured, best_correlation_of, correlation_of, lag_of, lagged, mean, spread_share
from locutor.evaluate.timing import misalignment

CLOSED, NEARLY = 0.12, 0.25  # of the range of the lip gap: the truth's closures, and what still looks closed
NEAR = 1  # frames that a closure may be early or late
RANGE = (2, 98)  # percentiles
WINDOW = FPS  # frames over which loudness and movement are compared
LEAST_WINDOWS = 5


@dataclass(frozen=True)
class Lips:
    """A mouth in time, with the head's pose taken out.

    Attributes:
        points: displacement of the points `core.face.LIPS` from the person's neutral, inter-ocular units.
        gap: opening above that of the neutral face, inter-ocular units.
        limits: `RANGE` percentiles of the gap in all the footage of this person.
    """

    points: Float[ndarray, "T 40 2"]
    gap: Float[ndarray, " T"]
    limits: tuple[float, float]

    @property
    def share(self) -> Float[ndarray, " T"]:
        """The gap as a share of its range: about 0 closed, 1 wide open."""
        low, high = self.limits
        return (self.gap - low) / max(high - low, 1e-6)

    def __getitem__(self, frames: slice) -> Lips:
        return Lips(self.points[frames], self.gap[frames], self.limits)

    def rolled(self, by: int) -> Lips:
        """Moved in time, in a circle."""
        return Lips(np.roll(self.points, by, 0), np.roll(self.gap, by), self.limits)


def lips_of(mouth: Float32[ndarray, "T 58 2"], limits: tuple[float, float] | None = None) -> Lips:
    """The mouth rows of `Motion.face`."""
    assert mouth.shape[1] == MOUTH_SLICE.stop
    gap = lip_gap(mouth).astype(np.float64)
    return Lips(mouth[:, : len(LIPS)].astype(np.float64), gap, limits or limits_of(gap))


def limits_of(gap: Float[ndarray, " T"]) -> tuple[float, float]:
    """What a person's lip gap ranges over."""
    low, high = np.nanpercentile(gap, RANGE)
    return float(low), float(high)


def lip_figures(truth: Lips, driven: Lips, sound: Float32[ndarray, " n"]) -> dict[str, Measured]:
    """By name. Distances in % of the distance of the outer eye corners; `sound` is what both speak, or empty."""
    errors, joined = misalignment(truth.gap, driven.gap)
    distance = 100 * np.linalg.norm(truth.points - driven.points, axis=-1).mean(1)
    figures = {
        "lip_distance_percent": Measured(distance[:, None], mean),
        "lip_gap_correlation": Measured(np.stack([truth.gap, driven.gap], 1), correlation_of),
        "lip_gap_lag_frames": Measured(lagged(truth.gap, driven.gap), lag_of),
        "lip_gap_correlation_at_lag": Measured(lagged(truth.gap, driven.gap), best_correlation_of),
        "lip_spread_share": Measured(np.stack([truth.gap, driven.gap], 1), spread_share),
        "closure_recall": Measured(closures_met(truth.share, driven.share)[:, None], mean),
        "closure_precision": Measured(closures_met(driven.share, truth.share)[:, None], mean),
        "timing_error_ms": Measured(errors[:, None], mean),
        "timing_match": Measured(joined[:, None], mean),
    }
    if len(sound):
        figures["loudness_correlation"] = Measured(loudness_and_movement(sound, driven), correlation_of)
    return figures


def closures_met(truth: Float[ndarray, " T"], driven: Float[ndarray, " T"]) -> Float[ndarray, " T"]:
    """1 or 0 at every closure of the truth: do the driven lips close there too. Not a number elsewhere.

    Args:
        truth, driven: `Lips.share`.
    """
    met = np.full(len(truth), np.nan)
    for start, end in runs(truth < CLOSED):
        seen = driven[max(0, start - NEAR) : end + NEAR]
        lowest = np.nanmin(seen) if np.isfinite(seen).any() else np.inf
        met[(start + end) // 2] = float(lowest < NEARLY)
    return met


def runs(where: Bool[ndarray, " T"]) -> list[tuple[int, int]]:
    """Start and end (exclusive) of every run of true frames."""
    steps = np.diff(np.concatenate([[False], where, [False]]).astype(np.int8))
    return list(zip(np.flatnonzero(steps > 0).tolist(), np.flatnonzero(steps < 0).tolist(), strict=True))


def loudness_and_movement(sound: Float32[ndarray, " n"], lips: Lips) -> Float[ndarray, "W 2"]:
    """Per second: RMS of the sound, and RMS of the lips' mean movement from frame to frame, each by its spread.

    Nothing below `LEAST_WINDOWS` seconds. Their correlation is the SLCC of Chae-Yeon et al. 2025,
    over seconds of one person in place of clips of many.
    """
    moved = np.linalg.norm(np.diff(lips.points, axis=0, prepend=lips.points[:1]), axis=-1).mean(1)
    n = min(len(moved), len(sound) // SAMPLES_PER_FRAME) // WINDOW
    if n < LEAST_WINDOWS:
        return np.zeros((0, 2))
    loud = sound[: n * WINDOW * SAMPLES_PER_FRAME].astype(np.float64).reshape(n, -1)
    columns = np.stack([np.sqrt((x.reshape(n, -1) ** 2).mean(1)) for x in (loud, moved[: n * WINDOW])], 1)
    return columns / np.maximum(columns.std(0), 1e-9)  # else what is no movement would depend on the units

"""Folds in time for cross-validation of anything that sees a window of sound."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Bool
from numpy import ndarray


def blocked_folds(
    n_frames: int, n_folds: int, gap_frames: int
) -> Iterator[tuple[Bool[ndarray, " T"], Bool[ndarray, " T"]]]:
    """Masks (train, test): each test block is contiguous, and `gap_frames` on both its sides train nothing."""
    frames = np.arange(n_frames)
    for fold in range(n_folds):
        first, end = n_frames * fold // n_folds, n_frames * (fold + 1) // n_folds
        test = (frames >= first) & (frames < end)
        yield (frames < first - gap_frames) | (frames >= end + gap_frames), test

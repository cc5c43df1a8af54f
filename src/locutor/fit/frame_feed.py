"""Training frames, decoded ahead of the optimiser."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from locutor.capture.performance import Performance
from locutor.capture.regions import Regions, find_regions
from locutor.core.parallel import map_in_order
from locutor.fit.config import TrainConfig


@dataclass(frozen=True)
class TrainingFrame:
    """One frame to learn from.

    Attributes:
        k: its number.
        target: the picture.
        weight: what each pixel counts in the loss.
    """

    k: int
    target: UInt8[Tensor, "H W 3"]
    weight: Float[Tensor, "H W"]


def frame_order(n_train: int, seed: int, start: int, end: int) -> Iterator[int]:
    """Frame numbers of iterations start..end: shuffled epochs, the same after a resume."""
    for iteration in range(start, end):
        epoch, place = divmod(iteration, n_train)
        if place == 0 or iteration == start:
            permutation = np.random.default_rng([seed, epoch]).permutation(n_train)
        yield int(permutation[place])


def feed_frames(performance: Performance, config: TrainConfig, start: int) -> Iterator[TrainingFrame]:
    """The frames of all iterations from `start` on; one thread decodes ahead."""
    regions = find_regions(performance.tracking.landmarks, performance.camera.width)
    order = frame_order(performance.n_train, config.seed, start, config.n_iterations)
    return map_in_order(lambda k: _load(performance, regions, config, k), order, threads=1)


def _load(performance: Performance, regions: Regions, config: TrainConfig, k: int) -> TrainingFrame:
    size = performance.camera.width
    weight = np.ones((size, size), np.float32)
    boxes = (
        (regions.mouth[k], config.mouth_weight),
        (regions.eye_right[k], config.eye_weight),
        (regions.eye_left[k], config.eye_weight),
    )
    for (left, top, right, bottom), inside in boxes:
        weight[top:bottom, left:right] += inside - 1
    return TrainingFrame(k, torch.from_numpy(performance.frames.rgb(k)), torch.from_numpy(weight))

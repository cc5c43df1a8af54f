"""Training frames, decoded ahead of the optimiser."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float, Float32, Int, UInt8
from numpy import ndarray
from torch import Tensor

from locutor.capture.performance import Performance
from locutor.capture.regions import Regions, find_regions
from locutor.core.face import LIP_GAP_ROWS
from locutor.core.parallel import map_in_order
from locutor.drive.blinks import eye_opening
from locutor.fit.config import TrainConfig

BLINK_SHARE = 0.06  # of an epoch's frames, at least
MOST_VISITS = 6
RARE_PERCENT = 2.0  # of the frames at each end of the lip gap
# Unseen frames are drawn softer than those that were learnt, so the last pictures are sharper than the camera's: an
# unsharp mask of this strength and standard deviation.
SHARPENED_FROM = 0.85  # share of the training
SHARPENED, SHARPENED_PX = 0.35, 1.0
LEAST_CLOSING = 0.03  # inter-ocular units; open eyes measure about 0.1


@dataclass(frozen=True)
class TrainingFrame:
    """One frame to learn from.

    Attributes:
        k: its number.
        target: the picture; sharpened towards the end of the training.
        weight: what each pixel counts in the loss.
        eyes_only: only the eyes count: the frame was shown before in this epoch, and comes again for its blink.
    """

    k: int
    target: UInt8[Tensor, "H W 3"]
    weight: Float[Tensor, "H W"]
    eyes_only: bool = False


def visits(
    face: Float32[ndarray, "T 120 2"], valid: Bool[ndarray, " T"]
) -> tuple[Int[ndarray, " T"], Bool[ndarray, " T"]]:
    """How often an epoch shows each frame: what is rare in speech and seen at once when it fails comes more often.

    Frames that are not valid, where no face was found and all controls are filled in, do not come at all.

    Closed eyes make up at least `BLINK_SHARE` of an epoch, as far as `MOST_VISITS` allows; the widest and the most
    tightly closed mouths come twice.

    Returns:
        The number of visits, and whether the eyes are closed: then all visits but the first are for the eyes alone,
        because a few blinks would otherwise teach a few mouths by heart.
    """
    counts = valid.astype(np.int64)
    upper, lower = LIP_GAP_ROWS
    gap = face[:, lower, 1] - face[:, upper, 1]
    low, high = np.percentile(gap[valid], [RARE_PERCENT, 100 - RARE_PERCENT])
    counts[valid & ((gap < low) | (gap > high))] = 2
    opening = eye_opening(face)
    usual, lowest = np.percentile(opening[valid], 60), opening[valid].min()
    closed = valid & (opening < (usual + lowest) / 2)
    if usual - lowest <= LEAST_CLOSING:
        closed[:] = False
    shut = np.flatnonzero(closed)
    wanted = min(round(BLINK_SHARE * valid.sum()), MOST_VISITS * len(shut))
    visits_of_shut = np.diff(np.linspace(0, wanted, len(shut) + 1).round().astype(int))  # evenly over all of them
    counts[shut] = np.maximum(counts[shut], visits_of_shut)
    return counts, closed


def frame_order(counts: Int[ndarray, " T"], seed: int, start: int, end: int) -> Iterator[tuple[int, bool]]:
    """Frame numbers of iterations start..end, and whether the frame came before in its epoch.

    Shuffled epochs, in which frame k comes `counts[k]` times. The same after a resume.
    """
    shown = np.repeat(np.arange(len(counts)), counts)
    for iteration in range(start, end):
        epoch, place = divmod(iteration, len(shown))
        if place == 0 or iteration == start:
            permutation = np.random.default_rng([seed, epoch]).permutation(shown)
            first = np.zeros(len(shown), bool)
            first[np.unique(permutation, return_index=True)[1]] = True
        yield int(permutation[place]), not first[place]


def feed_frames(performance: Performance, config: TrainConfig, start: int) -> Iterator[TrainingFrame]:
    """The frames of all iterations from `start` on; one thread decodes ahead."""
    regions = find_regions(performance.tracking.landmarks, performance.camera.width)
    counts, closed = visits(*performance.tracking.motion[: performance.n_train].require("face", "valid"))

    def load(visit: tuple[int, tuple[int, bool]]) -> TrainingFrame:
        iteration, (k, again) = visit
        is_late = iteration >= SHARPENED_FROM * config.n_iterations
        return _load(performance, regions, config, k, bool(again and closed[k]), is_late)

    order = frame_order(counts, config.seed, start, config.n_iterations)
    return map_in_order(load, enumerate(order, start), threads=1)


def _load(
    performance: Performance, regions: Regions, config: TrainConfig, k: int, eyes_only: bool, is_late: bool
) -> TrainingFrame:
    size = performance.camera.width
    elsewhere = 0.0 if eyes_only else 1.0
    weight = np.full((size, size), elsewhere, np.float32)
    eyes = ((regions.eye_right[k], config.eye_weight), (regions.eye_left[k], config.eye_weight))
    boxes = eyes if eyes_only else ((regions.mouth[k], config.mouth_weight), *eyes)
    for (left, top, right, bottom), inside in boxes:
        weight[top:bottom, left:right] += inside - elsewhere
    picture = performance.frames.rgb(k)
    target = sharpened(picture, regions.mouth[k]) if is_late else picture
    return TrainingFrame(k, torch.from_numpy(target), torch.from_numpy(weight), eyes_only)


def sharpened(picture: UInt8[ndarray, "H W 3"], mouth: Int[ndarray, " 4"]) -> UInt8[ndarray, "H W 3"]:
    """A picture with its fine detail raised by `SHARPENED`, but in the box of the mouth (left, top, right, bottom).

    Lips in unseen frames are off by parts of a pixel, and the sharper they are the more that shows.
    """
    soft = cv2.GaussianBlur(picture, (0, 0), SHARPENED_PX)
    sharp = cv2.addWeighted(picture, 1 + SHARPENED, soft, -SHARPENED, 0)
    left, top, right, bottom = mouth
    sharp[top:bottom, left:right] = picture[top:bottom, left:right]
    return sharp

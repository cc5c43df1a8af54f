"""The light on the person in footage, frame by frame.

A camera's exposure and white balance drift, and lamps and clouds change. An avatar has one light, the mean of its
footage. Where it is compared with footage or laid into it, each frame has a gain per colour, which scales what the
Gaussians give and leaves the plate as it is (after the exposure compensation of 3D Gaussian Splatting, Kerbl et al.
2023, without its mixing of colours and its offset). The gains are found on the skin; the mouth is hidden: what it does
must not leak into the light.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Generator, Iterator

import numpy as np
import torch
from jaxtyping import Float, Float32, UInt8
from numpy import ndarray
from scipy.linalg import solve_banded

from locutor.avatar.avatar import Avatar
from locutor.avatar.film import film
from locutor.avatar.footage import CORRELATED_PX, HEAD_OUTLIER, NOISE_LEVELS, Footage
from locutor.core.events import Event, Progress
from locutor.core.motion import Motion

STAGE = "finding the light"
EXPECTED, EXPECTED_CHANGE = 0.05, 0.003  # of a gain: its distance from 1, and what it changes by from frame to frame
REWEIGHTED = 3  # times that outliers are looked for


def fit_light(
    avatar: Avatar, motion: Motion, footage: Footage, apart: int = 1
) -> Generator[Event, None, Float[ndarray, "T 3"]]:
    """How much brighter the person is in every frame than the avatar draws it: red, green, blue.

    Args:
        avatar: who is in the footage.
        motion: as it is in the footage; needs `face`, `head` and `torso`.
        footage: the frames of the motion.
        apart: how many frames of the film two frames of the motion are apart.

    Returns:
        Gains, 1 where nothing is known (as the generator's return value); yields progress.
    """
    started, n = time.monotonic(), len(motion)
    found = []
    for k, (drawn, dark) in enumerate(_with_dark(avatar, motion)):
        shown = footage.skin(k) & ~footage.hidden(k)
        found.append(_gain(*(picture[shown].astype(np.float32) for picture in (footage.rgb(k), drawn, dark))))
        if k % 10 == 9:
            yield Progress(STAGE, k + 1, n, time.monotonic() - started)
    yield Progress(STAGE, n, n, time.monotonic() - started)
    return _smoothed(np.stack([gain for gain, _ in found]), np.stack([weight for _, weight in found]), apart)


def film_in_light(avatar: Avatar, motion: Motion, gains: Float[ndarray, "T 3"]) -> Iterator[UInt8[ndarray, "H W 3"]]:
    """Pictures of every frame of a motion, the person in the light that `gains` say; where they are 1, as by `film`."""
    for (drawn, dark), gain in zip(_with_dark(avatar, motion), gains, strict=True):
        lit = dark + gain.astype(np.float32) * (drawn.astype(np.float32) - dark)
        yield (np.clip(lit, 0, 255) + 0.5).astype(np.uint8)


def _with_dark(avatar: Avatar, motion: Motion) -> Iterator[tuple[UInt8[ndarray, "H W 3"], UInt8[ndarray, "H W 3"]]]:
    """Each frame, and the same with a person who gives no light: what differs is the person's."""
    black = dataclasses.replace(avatar.canonical, colors=torch.zeros_like(avatar.canonical.colors))
    dark = dataclasses.replace(avatar, canonical=black)
    return zip(film(avatar, [motion]), film(dark, [motion]), strict=True)


def _gain(
    truth: Float32[ndarray, "p 3"], drawn: Float32[ndarray, "p 3"], dark: Float32[ndarray, "p 3"]
) -> tuple[Float[ndarray, " 3"], Float[ndarray, " 3"]]:
    """The gain of one frame alone, and how much is known of it (its inverse variance)."""
    person, gain = drawn - dark, np.ones(3)
    known = np.zeros(3)
    for _ in range(REWEIGHTED):
        residual = truth - dark - gain * person
        weight = 1 / (1 + (residual / HEAD_OUTLIER) ** 2) ** 2 / (NOISE_LEVELS**2 * CORRELATED_PX)
        known = (weight * person**2).sum(0, dtype=np.float64)
        gain = gain + (weight * person * residual).sum(0, dtype=np.float64) / np.maximum(known, 1e-9)
    return gain, known


def _smoothed(gains: Float[ndarray, "T 3"], known: Float[ndarray, "T 3"], apart: int) -> Float[ndarray, "T 3"]:
    """All frames together: what each says, the prior that gains are near 1, and a random walk."""
    smooth = np.ones_like(gains)
    change = np.full(len(gains) - 1, 1 / (EXPECTED_CHANGE**2 * apart))
    for c in range(3):
        band = np.zeros((3, len(gains)))  # above the diagonal, the diagonal, below it
        band[1] = known[:, c] + 1 / EXPECTED**2
        band[1, 1:] += change
        band[1, :-1] += change
        band[0, 1:] = band[2, :-1] = -change
        smooth[:, c] += solve_banded((1, 1), band, known[:, c] * (gains[:, c] - 1))
    return smooth

"""Figures that an error in decibels does not show: sharpness, flicker, eyes that close."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float, Float32, Int, UInt8
from numpy import ndarray

from locutor.evaluate.masks import Masks

OPEN_PERCENTILE = 60  # of the opening of the eyes; most of the time they are open
CLOSED = 0.5  # share of the open eye's opening below which a blink is closed
TOLERANCE = 0.15  # of the open eye, by which a rendered lid may stay higher than the true one
LATE = 1  # frames that a rendered blink may be off
# Outer corner, inner corner, two above, two below them, of MediaPipe's mesh.
EYES = ((33, 133, 160, 158, 144, 153), (263, 362, 387, 385, 373, 380))


def gradient_energy(rgb: UInt8[ndarray, "H W 3"]) -> Float32[ndarray, "H W"]:
    """Squared gradient of the luma, per pixel (central differences, grey levels per pixel)."""
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return cv2.Sobel(grey, cv2.CV_32F, 1, 0, ksize=1) ** 2 + cv2.Sobel(grey, cv2.CV_32F, 0, 1, ksize=1) ** 2


@dataclass
class Ratio:
    """Sum of something over the rendered frames as a share of the same over the true ones.

    Attributes:
        rendered, truth: the two sums.
    """

    rendered: float = 0.0
    truth: float = 0.0

    def add(
        self, truth: Float32[ndarray, "H W"], rendered: Float32[ndarray, "H W"], where: Bool[ndarray, "H W"]
    ) -> None:
        """Count one frame's pixels inside a mask."""
        self.truth += float(truth[where].sum(dtype=np.float64))
        self.rendered += float(rendered[where].sum(dtype=np.float64))

    @property
    def share(self) -> float:
        """1 where the rendering has as much of it as the truth; 0 where the truth has none."""
        return self.rendered / self.truth if self.truth > 0 else 0.0


def flicker(frames: Sequence[UInt8[ndarray, "H W 3"]]) -> Float32[ndarray, "H W"]:
    """Absolute second difference in time of three frames' luma, grey levels: steady movement leaves little of it."""
    before, now, after = (cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32) for rgb in frames)
    return np.abs(before - 2 * now + after)


class DetailMeter:
    """Sharpness and flicker of a rendered clip against the truth, fed with one frame after the other."""

    def __init__(self) -> None:
        self._sharpness = {name: Ratio() for name in ("face", "mouth", "hair")}
        self._flicker = {name: Ratio() for name in ("background", "torso")}
        self._recent: deque[tuple[UInt8[ndarray, "H W 3"], UInt8[ndarray, "H W 3"], Masks]] = deque(maxlen=3)

    def add(
        self,
        truth: UInt8[ndarray, "H W 3"],
        rendered: UInt8[ndarray, "H W 3"],
        masks: Masks,
        face_box: Int[ndarray, " 4"],
        mouth_box: Int[ndarray, " 4"],
    ) -> None:
        """Count the next frame; boxes are left, top, right, bottom."""
        energies = gradient_energy(truth), gradient_energy(rendered)
        places = {"face": _inside(face_box, truth), "mouth": _inside(mouth_box, truth), "hair": masks.hair}
        for name, ratio in self._sharpness.items():
            ratio.add(*energies, places[name])
        self._recent.append((truth, rendered, masks))
        if len(self._recent) == 3:
            truths, drawn, where = zip(*self._recent, strict=True)
            changes = flicker(truths), flicker(drawn)
            for name, ratio in self._flicker.items():
                ratio.add(*changes, np.logical_and.reduce([getattr(m, name) for m in where]))

    def figures(self) -> dict[str, float]:
        """`sharpness_*` and `flicker_*`: shares of the truth's."""
        sharp = {f"sharpness_{name}": round(ratio.share, 3) for name, ratio in self._sharpness.items()}
        return sharp | {f"flicker_{name}": round(ratio.share, 3) for name, ratio in self._flicker.items()}


def _inside(box: Int[ndarray, " 4"], picture: UInt8[ndarray, "H W 3"]) -> Bool[ndarray, "H W"]:
    mask = np.zeros(picture.shape[:2], bool)
    left, top, right, bottom = box
    mask[top:bottom, left:right] = True
    return mask


def eye_openings(landmarks: Float32[ndarray, "T 478 3"]) -> Float[ndarray, " T"]:
    """Mean aspect ratio of both eyes (Soukupova & Cech 2016, eq. 1); not a number where no face was found."""
    xy = landmarks[..., :2].astype(np.float64)
    ratios = []
    for outer, inner, above_a, above_b, below_a, below_b in EYES:
        height = np.linalg.norm(xy[:, above_a] - xy[:, below_a], axis=1)
        height = height + np.linalg.norm(xy[:, above_b] - xy[:, below_b], axis=1)
        ratios.append(height / (2 * np.linalg.norm(xy[:, outer] - xy[:, inner], axis=1) + 1e-9))
    return np.mean(ratios, axis=0)


def closed_blinks(truth: Float[ndarray, " T"], rendered: Float[ndarray, " T"]) -> tuple[int, int]:
    """Of the truth's blinks, how many close in the rendering.

    A blink is a run of frames in which the eyes open to less than `CLOSED` of the usual. It closes in the rendering
    when the lids come as near as in the truth, to within `TOLERANCE` of the open eye, at most `LATE` frames off.

    Args:
        truth, rendered: `eye_openings` of the same frames.

    Returns:
        Closed ones and all.
    """
    usual = np.nanpercentile(truth, OPEN_PERCENTILE)
    shut = np.concatenate([[False], truth < CLOSED * usual, [False]]).astype(np.int8)
    starts, ends = np.flatnonzero(np.diff(shut) > 0), np.flatnonzero(np.diff(shut) < 0)
    n_closed = 0
    for start, end in zip(starts, ends, strict=True):
        seen = rendered[max(0, start - LATE) : end + LATE]
        lowest = np.nanmin(seen) if np.isfinite(seen).any() else np.inf
        n_closed += bool(lowest <= np.nanmin(truth[start:end]) + TOLERANCE * usual)
    return n_closed, len(starts)

"""Figures of pictures against the truth, frame by frame: error, structure, sharpness, flicker."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float32, Int, UInt8
from numpy import ndarray

from locutor.evaluate.figure import Measured, mean, share
from locutor.evaluate.lpips import Lpips
from locutor.evaluate.masks import Masks
from locutor.evaluate.structure import gradient_deviation, luma, ms_ssim, pyramid_distance
from locutor.splat.photometric import photometric_loss

CAP_DB = 99.0
SHARP = ("face", "mouth", "hair")
STEADY = ("background", "torso")

Picture = UInt8[ndarray, "H W 3"]


@dataclass(frozen=True)
class Places:
    """Where in one frame of the footage is what.

    Attributes:
        masks: by matte and landmarks.
        boxes: left, top, right, bottom, px, of `face`, `mouth`, `eye_right`, `eye_left`.
    """

    masks: Masks
    boxes: dict[str, Int[ndarray, " 4"]]


def psnr_db(a: UInt8[ndarray, "*shape"], b: UInt8[ndarray, "*shape"]) -> float:
    """Peak signal-to-noise ratio of 8-bit pictures, dB."""
    mse = float(np.mean((a.astype(np.float32) - b.astype(np.float32)) ** 2))
    return min(CAP_DB, 20 * math.log10(255) - 10 * math.log10(max(mse, 1e-10)))


def picture_figures(truth: Picture, rendered: Picture, places: Places, lpips: Lpips | None = None) -> dict[str, float]:
    """Figures of one frame by name; with no pixel in a mask its figure is not a number.

    PSNR in dB; SSIM of the colours with the 11x11 Gaussian window of Wang et al. 2004; the others as `structure` says.
    """
    flat = torch.ones(truth.shape[:2])
    scored = photometric_loss(torch.from_numpy(rendered.astype(np.float32) / 255), torch.from_numpy(truth), flat, 1.0)
    lumas = luma(truth), luma(rendered)
    masks, eyes = places.masks, np.zeros(truth.shape[:2], bool)
    for name in ("eye_right", "eye_left"):
        eyes |= inside(places.boxes[name], truth)
    figures = {
        "psnr": psnr_db(truth, rendered),
        "ssim": scored.ssim,
        "ms_ssim": ms_ssim(*lumas),
        "gradient_deviation": gradient_deviation(*lumas),
        "pyramid_distance": pyramid_distance(*lumas),
    }
    regions = {name: inside(places.boxes[name], truth) for name in ("face", "mouth")}
    regions |= {"eyes": eyes, "neck": masks.neck, "person": masks.person, "skin": masks.skin}
    for name, where in regions.items():
        figures[f"psnr_{name}"] = psnr_db(truth[where], rendered[where]) if where.any() else math.nan
    if lpips is not None:
        figures["lpips"] = lpips(truth, rendered)
        left, top, right, bottom = places.boxes["face"]
        figures["lpips_face"] = lpips(truth[top:bottom, left:right], rendered[top:bottom, left:right])
    return figures


def gradient_energy(rgb: Picture) -> Float32[ndarray, "H W"]:
    """Squared gradient of the luma, per pixel (central differences, grey levels per pixel)."""
    grey = luma(rgb)
    return cv2.Sobel(grey, cv2.CV_32F, 1, 0, ksize=1) ** 2 + cv2.Sobel(grey, cv2.CV_32F, 0, 1, ksize=1) ** 2


def flicker(frames: tuple[Picture, Picture, Picture]) -> Float32[ndarray, "H W"]:
    """Absolute second difference in time of three frames' luma, grey levels: steady movement leaves little of it."""
    before, now, after = (luma(rgb) for rgb in frames)
    return np.abs(before - 2 * now + after)


def inside(box: Int[ndarray, " 4"], picture: Picture) -> Bool[ndarray, "H W"]:
    """A box (left, top, right, bottom, px) as a mask."""
    mask = np.zeros(picture.shape[:2], bool)
    left, top, right, bottom = box
    mask[top:bottom, left:right] = True
    return mask


@dataclass
class PictureMeter:
    """Collects the figures of a rendered clip, frame after frame.

    Attributes:
        lpips: the user's, if any.
        frames: figures of every frame by name.
        pairs: by name, per frame: how much there is in the truth, and in the rendering.
    """

    lpips: Lpips | None = None
    frames: list[dict[str, float]] = field(default_factory=list)
    pairs: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    _recent: deque[tuple[Picture, Picture, Masks]] = field(default_factory=lambda: deque(maxlen=3))

    def add(self, truth: Picture, rendered: Picture, places: Places) -> None:
        """Count the next frame."""
        self.frames.append(picture_figures(truth, rendered, places, self.lpips))
        energies = gradient_energy(truth), gradient_energy(rendered)
        where = {name: inside(places.boxes[name], truth) for name in ("face", "mouth")} | {"hair": places.masks.hair}
        for name in SHARP:
            self._pair(f"sharpness_{name}", energies, where[name])
        self._recent.append((truth, rendered, places.masks))
        if len(self._recent) == 3:
            truths, drawn, masks = zip(*self._recent, strict=True)
            changes = flicker(truths), flicker(drawn)
            for name in STEADY:
                self._pair(f"flicker_{name}", changes, np.logical_and.reduce([getattr(m, name) for m in masks]))

    def _pair(self, name: str, amounts: tuple[ndarray, ndarray], where: Bool[ndarray, "H W"]) -> None:
        truth, rendered = (float(amount[where].sum(dtype=np.float64)) for amount in amounts)
        self.pairs.setdefault(name, []).append((truth, rendered))

    def figures(self) -> dict[str, Measured]:
        """Means over frames; `sharpness_*` and `flicker_*` as shares of the truth's."""
        names = self.frames[0] if self.frames else {}
        columns = {name: np.array([[frame[name]] for frame in self.frames]) for name in names}
        return {name: Measured(column, mean) for name, column in columns.items()} | {
            name: Measured(np.array(pairs), share) for name, pairs in self.pairs.items()
        }

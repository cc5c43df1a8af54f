"""Figures of a rendered clip against the truth."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32, Int, UInt8
from numpy import ndarray

from locutor.core.face import LIP_GAP, LIPS, OUTER_EYE_CORNERS
from locutor.splat.photometric import photometric_loss

MAX_LAG = 12  # frames
CAP_DB = 99.0
STILL = 0.1


@dataclass(frozen=True)
class ImageFigures:
    """How close a picture is to the truth: SSIM of the frame; PSNR (dB) of frame, face and mouth box, person, skin."""

    psnr: float
    ssim: float
    psnr_face: float
    psnr_mouth: float
    psnr_person: float
    psnr_skin: float


def psnr_db(a: UInt8[ndarray, "*shape"], b: UInt8[ndarray, "*shape"]) -> float:
    """Peak signal-to-noise ratio of 8-bit pictures, dB."""
    mse = float(np.mean((a.astype(np.float32) - b.astype(np.float32)) ** 2))
    return min(CAP_DB, 20 * math.log10(255) - 10 * math.log10(max(mse, 1e-10)))


def compare_images(
    truth: UInt8[ndarray, "H W 3"],
    rendered: UInt8[ndarray, "H W 3"],
    face_box: Int[ndarray, " 4"],
    mouth_box: Int[ndarray, " 4"],
    person: Bool[ndarray, "H W"],
    skin: Bool[ndarray, "H W"],
) -> ImageFigures:
    """PSNR and SSIM of one frame; SSIM with the 11x11 Gaussian window of Wang et al. 2004.

    Args:
        truth, rendered: the two pictures.
        face_box, mouth_box: left, top, right, bottom, px.
        person, skin: masks; with no pixel in them their figure is `CAP_DB`.
    """
    flat = torch.ones(truth.shape[:2])
    scored = photometric_loss(torch.from_numpy(rendered.astype(np.float32) / 255), torch.from_numpy(truth), flat, 1.0)
    return ImageFigures(
        psnr_db(truth, rendered),
        scored.ssim,
        psnr_db(_crop(truth, face_box), _crop(rendered, face_box)),
        psnr_db(_crop(truth, mouth_box), _crop(rendered, mouth_box)),
        psnr_db(truth[person], rendered[person]) if person.any() else CAP_DB,
        psnr_db(truth[skin], rendered[skin]) if skin.any() else CAP_DB,
    )


def _crop(image: UInt8[ndarray, "H W 3"], box: Int[ndarray, " 4"]) -> UInt8[ndarray, "h w 3"]:
    left, top, right, bottom = box
    return image[top:bottom, left:right]


def mean_figures(figures: Sequence[ImageFigures]) -> dict[str, float]:
    """Means over frames."""
    names = ImageFigures.__dataclass_fields__
    return {name: round(float(np.mean([getattr(f, name) for f in figures])), 4) for name in names}


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

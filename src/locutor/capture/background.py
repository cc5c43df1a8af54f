"""Whether the camera and the background stand still."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8
from numpy import ndarray

from locutor.capture.image_store import ImageStore
from locutor.capture.performance import upscale_matte
from locutor.capture.plate import BACKGROUND_BELOW, GROW_PX

N_LOOKS = 40
MOVING_PX = 2.0  # camera motion from which on a plate is visibly blurred
CHANGING_LEVELS = 6.0  # grey levels
CHANGING_SHARE = 0.05
_MIN_FEATURES = 25
_BLUR = 9


@dataclass(frozen=True)
class BackgroundFigures:
    """How still the background is, in frames spread over the clip.

    Attributes:
        camera_px: 95th percentile of how far the background shifts, px; 0 where it shows nothing to follow.
        changing_share: share of the background's pixels whose smoothed grey level spreads by more than 6 levels.
        free_share: share of the picture that is ever seen without the person.
    """

    camera_px: float
    changing_share: float
    free_share: float

    @property
    def camera_moves(self) -> bool:
        """Whether a still plate is wrong because of the camera."""
        return self.camera_px > MOVING_PX

    @property
    def changes(self) -> bool:
        """Whether a still plate is wrong because of what it shows."""
        return self.changing_share > CHANGING_SHARE


def check_background(frames: ImageStore, mattes: ImageStore, plate: UInt8[ndarray, "H W 3"]) -> BackgroundFigures:
    """Compare frames spread over the clip with the first of them and with each other."""
    chosen = np.unique(np.linspace(0, len(frames) - 1, min(N_LOOKS, len(frames))).astype(int))
    size = plate.shape[0]
    greys, free = [], []
    for k in chosen:
        greys.append(frames.grey(int(k)))
        free.append(free_of_person(mattes.grey(int(k)), size))
    shifts = [camera_shift(greys[0], grey, free[0] & seen) for grey, seen in zip(greys[1:], free[1:], strict=True)]
    known = [shift for shift in shifts if shift is not None]
    smooth = np.stack([cv2.GaussianBlur(grey, (0, 0), _BLUR)[::8, ::8] for grey in greys]).astype(np.float32)
    inside = [cv2.erode(seen.astype(np.uint8), np.ones((6 * _BLUR + 1, 6 * _BLUR + 1)))[::8, ::8] for seen in free]
    seen = np.stack(inside) > 0
    often = seen.sum(0) >= max(4, len(seen) // 3)
    spread = np.nanstd(np.where(seen, smooth, np.nan)[:, often], axis=0) if often.any() else np.zeros(1)
    return BackgroundFigures(
        round(float(np.percentile(known, 95)), 2) if known else 0.0,
        round(float((spread > CHANGING_LEVELS).mean()), 4),
        round(float(np.any(free, axis=0).mean()), 4),
    )


def free_of_person(matte: UInt8[ndarray, "h w"], size: int) -> Bool[ndarray, "H W"]:
    """Pixels that show the background for certain."""
    grow = np.ones((GROW_PX, GROW_PX), np.uint8)
    return cv2.dilate(upscale_matte(matte, size), grow) < BACKGROUND_BELOW


def camera_shift(
    first: UInt8[ndarray, "H W"], other: UInt8[ndarray, "H W"], free: Bool[ndarray, "H W"]
) -> float | None:
    """Median length of the background's motion, px; None where nothing can be followed."""
    motion = background_motion(first, other, free)
    if motion is None:
        return None
    rows, columns = np.nonzero(free[::16, ::16])
    points: Float[ndarray, "n 2"] = 16.0 * np.stack([columns, rows], 1)
    return float(np.median(np.linalg.norm(points @ (motion[:, :2] - np.eye(2)).T + motion[:, 2], axis=1)))


def background_motion(
    first: UInt8[ndarray, "H W"], other: UInt8[ndarray, "H W"], free: Bool[ndarray, "H W"]
) -> Float[ndarray, "2 3"] | None:
    """Similarity that takes the background of one frame to its place in another; None without enough features."""
    features = cv2.goodFeaturesToTrack(first, 200, 0.01, 8, mask=free.astype(np.uint8) * 255)
    if features is None or len(features) < _MIN_FEATURES:
        return None
    there, found, _ = cv2.calcOpticalFlowPyrLK(first, other, features, features.copy(), winSize=(21, 21), maxLevel=4)
    back, found_back, _ = cv2.calcOpticalFlowPyrLK(other, first, there, there.copy(), winSize=(21, 21), maxLevel=4)
    ok = (found[:, 0] > 0) & (found_back[:, 0] > 0) & (np.linalg.norm((back - features)[:, 0], axis=1) < 0.5)
    if ok.sum() < _MIN_FEATURES:
        return None
    motion, inliers = cv2.estimateAffinePartial2D(features[ok], there[ok], ransacReprojThreshold=1.0)
    return motion if motion is not None and inliers.mean() > 0.5 else None

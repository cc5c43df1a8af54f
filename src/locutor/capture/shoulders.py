"""How far each shoulder rises beyond the torso's rigid pose: breath and shrugs.

The torso's track follows what has texture (collar, tie, lapels), and a similarity is all that it knows. Shoulders rise
and sink by several pixels against it, each on its own. Their outlines show it: the frame is moved back by the torso's
track, and the outline's shift up or down is found by Lucas & Kanade's (1981) iteration with one unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import cv2
import numpy as np
from jaxtyping import Bool, Float, Float32, UInt8
from numpy import ndarray

from locutor.capture.torso import TorsoTrack

CHIN, CHEEKS = 152, (234, 454)
BESIDE_NECK = 0.45  # of the face's width from the chin: further out the outline is a shoulder's
BAND = 0.03  # of the frame's width on either side of the outline
BLUR = 0.004  # of the frame's width
LEAST_PX = 40  # of the outline's band; with less of it in the picture the shoulder counts as still
MOST = 0.05  # of the frame's width that a shoulder is believed to move
ITERATIONS = 4
STILL_LEVELS = 2.0  # grey levels of noise per pixel of the band: what has no contrast does not move


def shoulder_shifts(
    grey_frame: Callable[[int], UInt8[ndarray, "H W"]],
    torso: TorsoTrack,
    reference: int,
    landmarks: Float32[ndarray, "478 3"],
    matte: UInt8[ndarray, "H W"],
) -> Float32[ndarray, "T 2"]:
    """Shift of the shoulder on the left and on the right of the image against the torso's track.

    Args:
        grey_frame: reads one frame.
        torso: track of the torso.
        reference: the frame that the track is measured against.
        landmarks: of the face in the reference frame, px.
        matte: of the reference frame.

    Returns:
        px of the reference frame, downwards, 0 in the reference frame.
    """
    n, size = len(torso.image_motion), matte.shape[1]
    template = _smooth(grey_frame(reference).astype(np.float32), size)
    slope = cv2.Sobel(template, cv2.CV_32F, 0, 1, ksize=3) / 8
    shifts = np.zeros((n, 2), np.float32)
    for side, band in enumerate(shoulder_bands(landmarks, matte)):
        if band.sum() < LEAST_PX:
            continue
        rows, columns = (slice(i.min(), i.max() + 1) for i in np.nonzero(band))
        weight = np.where(band, slope, 0)[rows, columns]
        energy = float((weight**2).sum() + STILL_LEVELS**2 * band.sum())
        for frames in (range(reference, n), range(reference - 1, -1, -1)):
            shifts[list(frames), side] = _follow(
                (_moved_back(grey_frame(k), torso.image_motion[k], size) for k in frames),
                template, weight, energy, (rows, columns),
            )  # fmt: skip
    return shifts


def shoulder_bands(
    landmarks: Float32[ndarray, "478 3"], matte: UInt8[ndarray, "H W"]
) -> tuple[Bool[ndarray, "H W"], Bool[ndarray, "H W"]]:
    """Pixels about the outline of the shoulder on the left and on the right of the image."""
    height, width = matte.shape
    reach = 2 * round(BAND * width) + 1
    person = (matte >= 128).astype(np.uint8)
    outline = cv2.morphologyEx(person, cv2.MORPH_GRADIENT, np.ones((reach, reach), np.uint8)) > 0
    chin_x, chin_y = landmarks[CHIN, :2]
    right, left = landmarks[CHEEKS[0], 0], landmarks[CHEEKS[1], 0]
    beside = np.arange(width) - chin_x
    below = np.arange(height)[:, None] > chin_y
    clear = BESIDE_NECK * abs(left - right)
    return outline & below & (beside < -clear), outline & below & (beside > clear)


def usual_at_zero(shifts: Float32[ndarray, "T 2"], n_train: int) -> Float32[ndarray, "T 2"]:
    """The shifts against their median over the training frames."""
    return shifts - np.median(shifts[:n_train], axis=0)


def _moved_back(grey: UInt8[ndarray, "H W"], image_motion: Float[ndarray, "2 3"], size: int) -> Float[ndarray, "H W"]:
    flags = cv2.WARP_INVERSE_MAP | cv2.INTER_LINEAR
    moved = cv2.warpAffine(grey, image_motion, grey.shape[::-1], flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return _smooth(moved.astype(np.float32), size)


def _smooth(grey: Float[ndarray, "H W"], size: int) -> Float[ndarray, "H W"]:
    return cv2.GaussianBlur(grey, (0, 0), BLUR * size)


def _follow(
    frames: Iterable[Float[ndarray, "H W"]],
    template: Float[ndarray, "H W"],
    weight: Float[ndarray, "h w"],
    energy: float,
    box: tuple[slice, slice],
) -> list[float]:
    """The shift in every frame, each starting from the one before."""
    rows, columns = box
    still = template[rows, columns]
    limit = MOST * template.shape[1]
    shift, found = 0.0, []
    for frame in frames:
        for _ in range(ITERATIONS):
            shifted = np.array([[1, 0, columns.start], [0, 1, rows.start + shift]], np.float32)
            flags = cv2.WARP_INVERSE_MAP | cv2.INTER_LINEAR
            seen = cv2.warpAffine(frame, shifted, still.shape[::-1], flags=flags, borderMode=cv2.BORDER_REPLICATE)
            step = float((weight * (still - seen)).sum()) / energy
            shift = float(np.clip(shift + step, -limit, limit))
        found.append(shift)
    return found

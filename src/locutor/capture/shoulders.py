"""How far each shoulder rises beyond the torso's rigid pose: breath and shrugs.

The torso's track follows what has texture (collar, tie, lapels), and a similarity is all that it knows. Shoulders rise
and sink by several pixels against it, each on its own. Their outlines show it: the frame is moved back by the torso's
track, and the outline's shift up or down is found by Lucas & Kanade's (1981) iteration with one unknown.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float, Float32, UInt8
from numpy import ndarray

from locutor.capture.torso import TorsoTrack, outwards

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
        grey_frame: reads one frame; called from several threads.
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
    bands = shoulder_bands(landmarks, matte)
    outlines = {i: _outline(band, template, slope) for i, band in enumerate(bands) if band.sum() >= LEAST_PX}
    shifts = np.zeros((n, 2), np.float32)

    def follow(frames: range) -> None:
        shift = dict.fromkeys(outlines, 0.0)
        for k in frames:
            frame = grey_frame(k)
            for side, outline in outlines.items():
                shift[side] = shifts[k, side] = outline.follow(frame, torso.image_motion[k], shift[side])

    outwards(reference, n, follow)
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


def _smooth(grey: Float[ndarray, "H W"], size: int) -> Float[ndarray, "H W"]:
    return cv2.GaussianBlur(grey, (0, 0), BLUR * size)


@dataclass(frozen=True)
class _Outline:
    """The band about one shoulder's outline in the reference frame.

    Attributes:
        still: how it looks there.
        weight: vertical slope within the band, 0 outside.
        energy: sum of the squared slopes, and of the noise that is expected.
        left, top: of its box, px.
        size: width of the frames, px.
    """

    still: Float[ndarray, "h w"]
    weight: Float[ndarray, "h w"]
    energy: float
    left: int
    top: int
    size: int

    def follow(self, frame: UInt8[ndarray, "H W"], image_motion: Float[ndarray, "2 3"], shift: float) -> float:
        """The shift in a frame, from that in the frame before. No more is moved back than the shift can reach."""
        limit = MOST * self.size
        margin = round(limit + 4 * BLUR * self.size)
        height, width = self.still.shape
        to_box = np.array([[1, 0, self.left - margin], [0, 1, self.top - margin], [0, 0, 1]], np.float64)
        seen_from = image_motion @ to_box
        flags = cv2.WARP_INVERSE_MAP | cv2.INTER_LINEAR
        wide = (width + 2 * margin, height + 2 * margin)
        moved = cv2.warpAffine(frame, seen_from, wide, flags=flags, borderMode=cv2.BORDER_REPLICATE)
        moved = _smooth(moved.astype(np.float32), self.size)
        for _ in range(ITERATIONS):
            shifted = np.array([[1, 0, margin], [0, 1, margin + shift]], np.float32)
            seen = cv2.warpAffine(moved, shifted, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE)
            step = float((self.weight * (self.still - seen)).sum()) / self.energy
            shift = float(np.clip(shift + step, -limit, limit))
        return shift


def _outline(band: Bool[ndarray, "H W"], template: Float[ndarray, "H W"], slope: Float[ndarray, "H W"]) -> _Outline:
    rows, columns = (slice(int(i.min()), int(i.max()) + 1) for i in np.nonzero(band))
    weight = np.where(band, slope, 0)[rows, columns]
    energy = float((weight**2).sum() + STILL_LEVELS**2 * band.sum())
    return _Outline(template[rows, columns], weight, energy, columns.start, rows.start, template.shape[1])

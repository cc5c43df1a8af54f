"""Blinks: where the footage has them, and what one looks like for this person."""

import numpy as np
from jaxtyping import Bool, Float32
from numpy import ndarray
from scipy.ndimage import binary_dilation
from scipy.signal import find_peaks

from locutor.core.face import EYES, EYES_SLICE, FACE_POINTS, LID_PAIRS

_UPPER_LIDS = ((246, 161, 160, 159, 158, 157, 173), (466, 388, 387, 386, 385, 384, 398))
_LOWER_LIDS = ((7, 163, 144, 145, 153, 154, 155), (249, 390, 373, 374, 380, 381, 382))
_LEAST_DEPTH = 0.025  # inter-ocular units; open eyes measure about 0.1
_LONGEST = 12  # frames at half depth; what lasts longer is a look downwards
_GUARD = 4  # frames on each side of the closed part that belong to the blink
_FULL = 0.92  # share of the way that the upper lid goes to the lower one when nothing better is known


def eye_opening(face: Float32[ndarray, "T 120 2"]) -> Float32[ndarray, " T"]:
    """Mean distance between the lids of both eyes relative to the neutral face, inter-ocular units."""
    gaps = [
        face[:, FACE_POINTS.index(low), 1] - face[:, FACE_POINTS.index(up), 1]
        for up, low in (*LID_PAIRS[0], *LID_PAIRS[1])
    ]
    return np.stack(gaps).mean(axis=0)


def find_blinks(face: Float32[ndarray, "T 120 2"]) -> ndarray:
    """Frames at which the lids are nearest to each other, one for each blink."""
    closing = -eye_opening(face)
    noise = np.median(np.abs(np.diff(closing))) if len(closing) > 1 else 0.0
    depth = max(_LEAST_DEPTH, 5 * float(noise))
    padded = np.pad(closing, 1, constant_values=closing.min())
    peaks, _ = find_peaks(padded, prominence=depth, width=(0, _LONGEST), rel_height=0.5)
    return peaks - 1


def blink_mask(face: Float32[ndarray, "T 120 2"]) -> Bool[ndarray, " T"]:
    """Frames that belong to a blink, with a margin."""
    mask = np.zeros(len(face), bool)
    mask[find_blinks(face)] = True
    return binary_dilation(mask, iterations=_GUARD)


def closure(face: Float32[ndarray, "T 120 2"], neutral: Float32[ndarray, "120 2"]) -> Float32[ndarray, "42 2"]:
    """Displacement of the eye rows from open to closed eyes, inter-ocular units.

    The mean of the deepest third of the blinks in the footage; without blinks, the upper lids of the neutral
    face go down to the lower ones.
    """
    blinks = find_blinks(face)
    blinks = blinks[(blinks >= 2 * _GUARD) & (blinks < len(face) - 2 * _GUARD)]
    if len(blinks) == 0:
        return _drawn_closure(neutral)
    eyes = face[:, EYES_SLICE]
    opening = eye_opening(face)
    around = (opening[blinks - 2 * _GUARD] + opening[blinks + 2 * _GUARD]) / 2
    deepest = blinks[np.argsort(opening[blinks] - around)[: max(1, len(blinks) // 3)]]
    before_after = (eyes[deepest - 2 * _GUARD] + eyes[deepest + 2 * _GUARD]) / 2
    return (eyes[deepest] - before_after).mean(axis=0)


def _drawn_closure(neutral: Float32[ndarray, "120 2"]) -> Float32[ndarray, "42 2"]:
    shift = np.zeros((len(EYES), 2), np.float32)
    for upper, lower in zip(_UPPER_LIDS, _LOWER_LIDS, strict=True):
        for up, low in zip(upper, lower, strict=True):
            way = neutral[FACE_POINTS.index(low)] - neutral[FACE_POINTS.index(up)]
            shift[EYES.index(up), 1] = _FULL * max(0.0, float(way[1]))
    return shift

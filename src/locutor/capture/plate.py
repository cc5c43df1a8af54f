"""The background plate: what is behind the person, from the frames that uncover it."""

from collections.abc import Callable, Iterator

import cv2
import numpy as np
from jaxtyping import Bool, UInt8
from numpy import ndarray

BACKGROUND_BELOW = 25  # matte value, after growing the person by GROW_PX
GROW_PX = 9
BAND_ROWS = 64
KEY_FRAMES = 25  # between the keys of a background that changes
PER_KEY = 7


def background_plate(
    frames: Iterator[tuple[UInt8[ndarray, "H W 3"], UInt8[ndarray, "H W"]]],
) -> UInt8[ndarray, "H W 3"]:
    """Median of the pixels seen without the person; what is never uncovered is painted from around it.

    Args:
        frames: pairs of frame and full-size person matte, already thinned out.
    """
    grow = np.ones((GROW_PX, GROW_PX), np.uint8)
    images, free = [], []
    for rgb, matte in frames:
        images.append(rgb)
        free.append(cv2.dilate(matte, grow) < BACKGROUND_BELOW)
    stack, seen = np.stack(images), np.stack(free)
    plate = np.zeros(stack.shape[1:], np.uint8)
    for top in range(0, len(plate), BAND_ROWS):  # in bands, for memory
        rows = slice(top, top + BAND_ROWS)
        plate[rows] = _median_where(stack[:, rows], seen[:, rows])
    never_seen = np.asarray(~seen.any(0), np.uint8)
    return cv2.inpaint(plate, never_seen, 5, cv2.INPAINT_TELEA)


def background_keys(
    read: Callable[[int], tuple[UInt8[ndarray, "H W 3"], UInt8[ndarray, "H W"]]],
    n_frames: int,
    plate: UInt8[ndarray, "H W 3"],
) -> Iterator[UInt8[ndarray, "H W 3"]]:
    """A plate for every `KEY_FRAMES` frames of a background that changes, each from the frames around it.

    Args:
        read: gives frame k and its full-size person matte.
        n_frames: of the clip; key i stands for frame `i * KEY_FRAMES`.
        plate: of the whole clip, for what a key's own frames never uncover.
    """
    grow = np.ones((GROW_PX, GROW_PX), np.uint8)
    for centre in range(0, n_frames + KEY_FRAMES - 1, KEY_FRAMES):
        low, high = max(centre - KEY_FRAMES // 2, 0), min(centre + KEY_FRAMES // 2 + 1, n_frames)
        low = min(low, n_frames - 1)
        chosen = np.unique(np.linspace(low, max(high - 1, low), PER_KEY).astype(int))
        pairs = [read(int(k)) for k in chosen]
        seen = np.stack([cv2.dilate(matte, grow) < BACKGROUND_BELOW for _, matte in pairs])
        local = _median_where(np.stack([rgb for rgb, _ in pairs]), seen)
        yield np.where(np.asarray(seen.any(0))[..., None], local, plate)


def _median_where(values: UInt8[ndarray, "n h w 3"], known: Bool[ndarray, "n h w"]) -> UInt8[ndarray, "h w 3"]:
    """Lower median over the known values of each pixel; sorting beats a masked median tenfold."""
    hidden_last = np.where(known[..., None], values, np.int16(256)).astype(np.int16)
    hidden_last.sort(axis=0)
    middle = np.maximum(known.sum(0) - 1, 0)[None, :, :, None] // 2
    return np.minimum(np.take_along_axis(hidden_last, middle, axis=0)[0], 255).astype(np.uint8)

"""The background plate: what is behind the person, from the frames that uncover it."""

from collections.abc import Iterator

import cv2
import numpy as np
from jaxtyping import UInt8
from numpy import ndarray

EVERY = 8
BACKGROUND_BELOW = 25  # matte value, after growing the person by GROW_PX
GROW_PX = 9
BAND_ROWS = 64


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
    for top in range(0, len(plate), BAND_ROWS):  # in bands: a masked median needs floats
        rows = slice(top, top + BAND_ROWS)
        values = np.ma.masked_array(stack[:, rows], ~np.broadcast_to(seen[:, rows, :, None], stack[:, rows].shape))
        plate[rows] = np.ma.median(values, axis=0).filled(0).astype(np.uint8)
    never_seen = np.asarray(~seen.any(0), np.uint8)
    return cv2.inpaint(plate, never_seen, 5, cv2.INPAINT_TELEA)

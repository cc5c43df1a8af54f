"""Words burnt into the picture."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import UInt8
from numpy import ndarray

_HEIGHT = 0.035  # of the picture: readable on a phone, and smaller than a chin
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_BOX = 0.45  # how much of the picture is left under the words


def burn_in(rgb: UInt8[ndarray, "H W 3"], words: str) -> UInt8[ndarray, "H W 3"]:
    """A copy of the frame with white words on a darkened box in its lower left corner; long words are made smaller.

    OpenCV's font has the letters of ASCII alone; others are shown as question marks.
    """
    height, width = rgb.shape[:2]
    text = words.encode("ascii", "replace").decode()
    (full_w, full_h), below = cv2.getTextSize(text, _FONT, 1.0, 2)
    scale = min(max(10.0, _HEIGHT * height) / full_h, 0.9 * width / max(full_w, 1))
    thickness = max(1, round(2 * scale))
    text_w, text_h, margin = round(full_w * scale), round(full_h * scale), max(2, round(0.5 * full_h * scale))
    top = max(0, height - text_h - round(below * scale) - 2 * margin)
    out = rgb.copy()
    box = out[top:, : min(width, text_w + 2 * margin)]
    box[:] = (box * _BOX).astype(np.uint8)
    where = (margin, height - margin - round(below * scale))
    cv2.putText(out, text, where, _FONT, scale, (255, 255, 255), thickness, cv2.LINE_AA)
    return out

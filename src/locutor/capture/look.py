"""How well a face is pictured: sharpness and exposure."""

import cv2
import numpy as np
from jaxtyping import Float, UInt8
from numpy import ndarray

_SIDE = 128  # px: faces of all sizes are compared at this one
_BLACK, _WHITE = 16, 250  # grey levels from which on nothing is told apart


def face_look(grey: UInt8[ndarray, "H W"], landmarks: Float[ndarray, "478 3"]) -> tuple[float, float, float, float]:
    """Measures of the box around the landmarks.

    Returns:
        sharpness (spread of the Laplacian in spreads of the grey levels, at a common size), mean grey level
        0..255, share of the pixels that are black, share that are white.
    """
    low = np.clip(landmarks[:, :2].min(0).astype(int), 0, None)
    high = landmarks[:, :2].max(0).astype(int) + 1
    box = grey[low[1] : high[1], low[0] : high[0]]
    if min(box.shape) < 4:
        return 0.0, 0.0, 0.0, 0.0
    how = cv2.INTER_AREA if min(box.shape) > _SIDE else cv2.INTER_LINEAR
    common = cv2.resize(box, (_SIDE, _SIDE), interpolation=how)
    sharpness = cv2.Laplacian(common, cv2.CV_32F).std() / (common.std() + 1.0)
    black, white = np.count_nonzero(box <= _BLACK), np.count_nonzero(box >= _WHITE)
    return float(sharpness), float(box.mean()), black / box.size, white / box.size

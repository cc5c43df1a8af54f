"""Whether two faces are the same person's, as far as the pictures of one film can tell."""

from collections.abc import Iterable

import cv2
import numpy as np
from jaxtyping import Float, UInt8
from numpy import ndarray

from locutor.geometry.similarity import fit_similarity

SIDE = 64
_ANCHORS = (33, 133, 362, 263, 1, 61, 291, 152, 10)  # eye corners, nose, mouth corners, chin, forehead
# Where the anchors lie in the aligned picture: a frontal face.
_PLACES = np.array(
    [(13, 22), (25, 23), (39, 23), (51, 22), (32, 37), (23, 47), (41, 47), (32, 63), (32, 1)], np.float64
)
_COARSE_PX = 8.0  # light and shade vary more slowly than that


def mean_look(faces: Iterable[tuple[UInt8[ndarray, "H W"], Float[ndarray, "478 3"]]]) -> Float[ndarray, "64 64"]:
    """Mean of aligned faces, without light and shade.

    Args:
        faces: pairs of grey picture and landmarks.
    """
    looks = []
    for grey, landmarks in faces:
        points = np.pad(landmarks[list(_ANCHORS), :2].astype(np.float64), ((0, 0), (0, 1)))
        fit = fit_similarity(points, np.pad(_PLACES, ((0, 0), (0, 1))))
        A = np.column_stack([fit.scale * fit.R[:2, :2], fit.t[:2]])
        aligned = cv2.warpAffine(grey, A, (SIDE, SIDE), flags=cv2.INTER_AREA).astype(np.float64)
        looks.append(aligned - cv2.GaussianBlur(aligned, (0, 0), _COARSE_PX))
    return np.mean(looks, axis=0)


def likeness(a: Float[ndarray, "64 64"], b: Float[ndarray, "64 64"]) -> float:
    """Correlation of two mean looks, -1..1, over the middle of the face."""
    rows, columns = slice(8, 58), slice(8, 56)
    return float(np.corrcoef(a[rows, columns].ravel(), b[rows, columns].ravel())[0, 1])

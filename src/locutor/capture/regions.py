"""Where the mouth, the eyes and the face are in a frame."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Int
from numpy import ndarray

from locutor.core.face import EYE_LEFT, EYE_RIGHT, LIPS

N_MESH = 468  # points of the face mesh without the irises


@dataclass(frozen=True)
class Regions:
    """Boxes (left, top, right, bottom), px, one row per frame."""

    mouth: Int[ndarray, "T 4"]
    face: Int[ndarray, "T 4"]
    eye_right: Int[ndarray, "T 4"]
    eye_left: Int[ndarray, "T 4"]


def find_regions(landmarks: Float32[ndarray, "T 478 3"], size: int) -> Regions:
    """Boxes around the landmarks: the lips grown by 35 % on each side, the eyes by 50 %, the face by 5 %."""

    def boxes(points: tuple[int, ...], grow: float) -> Int[ndarray, "T 4"]:
        low, high = landmarks[:, list(points), :2].min(1), landmarks[:, list(points), :2].max(1)
        margin = grow * (high - low)
        return np.clip(np.concatenate([low - margin, high + margin], 1), 0, size).astype(np.int64)

    return Regions(
        mouth=boxes(LIPS, 0.35),
        face=boxes(tuple(range(N_MESH)), 0.05),
        eye_right=boxes(EYE_RIGHT, 0.5),
        eye_left=boxes(EYE_LEFT, 0.5),
    )


def face_hull(landmarks: Float32[ndarray, "478 3"], height: int, width: int) -> Bool[ndarray, "H W"]:
    """Pixels inside the convex hull of the face's landmarks (px)."""
    hull = cv2.convexHull(np.round(landmarks[:N_MESH, :2]).astype(np.int32))
    return cv2.fillConvexPoly(np.zeros((height, width), np.uint8), hull, 1).astype(bool)

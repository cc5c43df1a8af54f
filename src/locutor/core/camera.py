"""The pinhole camera."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy import ndarray


@dataclass(frozen=True)
class Camera:
    """A pinhole camera at the world's origin: x right, y down, z forward (OpenCV).

    The camera never moves in this project: the head and the torso do, so world is camera.

    Attributes:
        width, height: image size, px.
        focal_px: focal length, px, the same for x and y.
        cx, cy: principal point, px; pixel (i, j) has its centre at (j + .5, i + .5).
    """

    width: int
    height: int
    focal_px: float
    cx: float
    cy: float

    def project(self, points: Float[ndarray, "*batch 3"]) -> Float[ndarray, "*batch 2"]:
        """World points to pixel coordinates (x, y)."""
        xy = points[..., :2] / points[..., 2:]
        return self.focal_px * xy + np.array([self.cx, self.cy], points.dtype)

"""The square that is cut out of the film around the head, and how to go back."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, UInt8
from numpy import ndarray

from locutor.core.errors import FootageError

HEAD_TO_FRAME = 2.6  # side of the square in face heights: head, hair and shoulders
NEARLY_ALL = 0.8  # a square this close to the whole picture takes the whole picture
FACE_CENTRE = 0.42  # where the middle of the face lies in the square, from the top
MIN_FACE_PX = 48


@dataclass(frozen=True)
class Framing:
    """Square crop of the film, in film pixels, and the size it is scaled to.

    Attributes:
        left, top, side: the square in the film.
        size: width and height of the frames that the avatar sees.
    """

    left: int
    top: int
    side: int
    size: int

    def cut(self, film: UInt8[ndarray, "H W 3"]) -> UInt8[ndarray, "size size 3"]:
        """The crop of one film frame."""
        square = film[self.top : self.top + self.side, self.left : self.left + self.side]
        if self.side == self.size:
            return np.ascontiguousarray(square)
        how = cv2.INTER_AREA if self.side > self.size else cv2.INTER_LINEAR
        return cv2.resize(square, (self.size, self.size), interpolation=how)


def frame_head(faces: list[Float[ndarray, "478 3"]], film_width: int, film_height: int, size: int) -> Framing:
    """Choose the square from the faces found in a sample of frames.

    Raises:
        FootageError: the face is too small to learn from.
    """
    points = np.stack(faces)[..., :2]
    heights = np.linalg.norm(points[:, 152] - points[:, 10], axis=-1)
    face_px = float(np.median(heights))
    shortest = min(film_width, film_height)
    if face_px < MIN_FACE_PX:
        raise FootageError(
            f"the face is only {face_px:.0f} px high",
            f"film closer or larger: at least {MIN_FACE_PX} px, better 200 px",
        )
    side = min(shortest, round(HEAD_TO_FRAME * face_px))
    if side >= NEARLY_ALL * shortest:
        side = shortest
    centre = np.median(points.reshape(-1, 2), axis=0)
    left = int(np.clip(centre[0] - side / 2, 0, film_width - side))
    top = int(np.clip(centre[1] - FACE_CENTRE * side, 0, film_height - side))
    return Framing(left, top, side, size)

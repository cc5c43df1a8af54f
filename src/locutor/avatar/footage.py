"""Footage as an avatar is fitted to it: its frames, what of them counts, and how far they may differ from drawings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from jaxtyping import Bool, Float, UInt8
from numpy import ndarray

HEAD_OUTLIER = 12.0  # grey levels above which a difference on the head counts less (Geman & McClure 1985)
# Grey levels that avatar and footage differ by where all is right, and how many pixels differ alike.
NOISE_LEVELS, CORRELATED_PX = 6.0, 25.0


@dataclass(frozen=True)
class Footage:
    """Frames to fit to.

    Attributes:
        rgb: picture of frame k, counted from the first frame of the motion.
        hidden: pixels of frame k that do not count, such as the mouth.
        skin: pixels of frame k that tell the light on the face.
        points: the landmarks of `Motion.face` in every frame as tracked, head frame, inter-ocular units.
    """

    rgb: Callable[[int], UInt8[ndarray, "H W 3"]]
    hidden: Callable[[int], Bool[ndarray, "H W"]]
    skin: Callable[[int], Bool[ndarray, "H W"]]
    points: Float[ndarray, "T 120 3"]

"""The room behind the actor: a softly lit wall with a few blurred things on it."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from locutor.actors.noise import space_noise
from locutor.actors.textures import linear_from_srgb


def paint_backdrop(width: int, height: int, wall: tuple[float, float, float], seed: int) -> Float32[ndarray, "H W 3"]:
    """Linear picture: wall with a fall-off of light, a framed print, a shelf with books, a plant's pot."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32) / height
    picture = np.broadcast_to(linear_from_srgb(wall), (height, width, 3)).copy()

    def box(x0: float, y0: float, x1: float, y1: float, srgb: tuple[float, ...]) -> None:
        a, b = (round(x0 * width), round(y0 * height)), (round(x1 * width), round(y1 * height))
        cv2.rectangle(picture, a, b, linear_from_srgb(srgb).tolist(), -1)

    box(0.045, 0.09, 0.245, 0.37, (0.30, 0.24, 0.20))
    box(0.06, 0.105, 0.23, 0.355, (0.86, 0.84, 0.79))
    for _ in range(7):
        cx, cy, r = rng.uniform(0.09, 0.2), rng.uniform(0.14, 0.32), rng.uniform(0.01, 0.035)
        colour = linear_from_srgb(tuple(rng.uniform(0.25, 0.75, 3)))
        cv2.circle(picture, (round(cx * width), round(cy * height)), round(r * width), colour.tolist(), -1, cv2.LINE_AA)
    box(0.74, 0.40, 1.0, 0.425, (0.42, 0.31, 0.22))
    left = 0.765
    while left < 0.99:
        thick, tall = rng.uniform(0.014, 0.03), rng.uniform(0.10, 0.17)
        box(left, 0.40 - tall, left + thick, 0.40, tuple(rng.uniform(0.2, 0.7, 3)))
        left += thick + 0.003
    picture = cv2.GaussianBlur(picture, (0, 0), height / 150)
    lamp = 1.08 - 0.55 * np.hypot(x - 0.3 * width / height, 0.8 * (y - 0.3))
    grain = 1 + 0.03 * space_noise(np.stack([x * 30, y * 30, 0 * x], -1), 1.0, seed)
    return (picture * (lamp * grain)[..., None] * 0.62).astype(np.float32)

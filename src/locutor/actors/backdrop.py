"""What is behind the actor, out of focus: a room, a bare wall, a window, shelves or a curtain."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from locutor.actors.look import Colour, Look
from locutor.actors.noise import space_noise
from locutor.actors.textures import linear_from_srgb

Box = Callable[[float, float, float, float, tuple[float, ...]], None]


def paint_backdrop(width: int, height: int, look: Look, seed: int) -> Float32[ndarray, "H W 3"]:
    """Linear picture of the look's backdrop, brighter on the side of the key lamp."""
    rng = np.random.default_rng([seed, 6])
    y, x = np.mgrid[0:height, 0:width].astype(np.float32) / height
    picture = np.broadcast_to(linear_from_srgb(look.wall), (height, width, 3)).copy()

    def box(x0: float, y0: float, x1: float, y1: float, srgb: tuple[float, ...]) -> None:
        a, b = (round(x0 * width), round(y0 * height)), (round(x1 * width), round(y1 * height))
        cv2.rectangle(picture, a, b, linear_from_srgb(srgb).tolist(), -1)

    match look.backdrop:
        case "room":
            _picture_and_shelf(box, picture, rng)
        case "window":
            _window(box, picture, rng)
        case "shelves":
            for row in (0.22, 0.50, 0.78):
                _books(box, row, 0.0, 1.0, (0.10, 0.19), rng)
        case "curtain":
            folds = np.sin(2 * np.pi * (x * rng.uniform(9, 14) + 0.4 * np.sin(2 * np.pi * x * 2.3)))
            picture *= (0.78 + 0.22 * folds)[..., None]
    picture = cv2.GaussianBlur(picture, (0, 0), height / (150 if look.backdrop == "room" else 90))
    side = 0.5 + 0.4 * np.sign(look.lamp[0])
    lamp = 1.08 - 0.55 * np.hypot(x - side * width / height, 0.8 * (y - 0.3))
    grain = 1 + 0.03 * space_noise(np.stack([x * 30, y * 30, 0 * x], -1), 1.0, seed)
    return (picture * (lamp * grain)[..., None] * 0.62).astype(np.float32)


def _picture_and_shelf(box: Box, picture: ndarray, rng: np.random.Generator) -> None:
    height, width = picture.shape[:2]
    box(0.045, 0.09, 0.245, 0.37, (0.30, 0.24, 0.20))
    box(0.06, 0.105, 0.23, 0.355, (0.86, 0.84, 0.79))
    for _ in range(7):
        cx, cy, r = rng.uniform(0.09, 0.2), rng.uniform(0.14, 0.32), rng.uniform(0.01, 0.035)
        colour = linear_from_srgb(tuple(rng.uniform(0.25, 0.75, 3)))
        cv2.circle(picture, (round(cx * width), round(cy * height)), round(r * width), colour.tolist(), -1, cv2.LINE_AA)
    _books(box, 0.40, 0.74, 1.0, (0.10, 0.17), rng)


def _books(box: Box, y: float, left: float, right: float, tall: tuple[float, float], rng: np.random.Generator) -> None:
    """A board with books on it."""
    board: Colour = (0.42, 0.31, 0.22)
    box(left, y, right, y + 0.025, board)
    x = left + 0.025
    while x < right - 0.01:
        thick, height = rng.uniform(0.014, 0.03), rng.uniform(*tall)
        box(x, y - height, x + thick, y, tuple(rng.uniform(0.2, 0.7, 3)))
        x += thick + 0.003 + (rng.random() < 0.06) * 0.08


def _window(box: Box, picture: ndarray, rng: np.random.Generator) -> None:
    """Panes with blurred trees and sky."""
    left = rng.choice([0.02, 0.55])
    box(left, 0.05, left + 0.43, 0.78, (0.92, 0.92, 0.90))
    for column in (0, 1):
        x0 = left + 0.025 + 0.205 * column
        box(x0, 0.075, x0 + 0.18, 0.755, (0.74, 0.83, 0.93))
        for _ in range(26):
            cx, cy = rng.uniform(x0 + 0.01, x0 + 0.15), rng.uniform(0.42, 0.72)
            r = rng.uniform(0.01, 0.03)
            box(cx, cy, cx + r, cy + r, tuple(np.array([0.32, 0.45, 0.24]) * rng.uniform(0.6, 1.4)))
    box(left, 0.40, left + 0.43, 0.415, (0.92, 0.92, 0.90))

"""Glasses: two rims, a bridge and temples, as tubes that sit on the nose and move with the head."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from locutor.actors.body import Material, Patch, Surface
from locutor.actors.look import Colour
from locutor.actors.rig import Rig
from locutor.actors.textures import Atlas, linear_from_srgb, texel_corners

PAGE_PX = 8
N_SIDES = 6


def glasses(rig: Rig, neutral: Float[ndarray, "V 3"], colour: Colour, atlas: Atlas, seed: int) -> Surface:
    """Frames that fit this face; the glass itself is not drawn."""
    rng = np.random.default_rng([seed, 5])
    landmarks = neutral[rig.landmarks]
    half_width, half_height = rng.uniform(2.35, 2.75), rng.uniform(1.55, 2.15)
    squareness, thick = rng.uniform(2.0, 4.5), rng.uniform(0.13, 0.22)
    front = min(landmarks[27:29, 2].min(), landmarks[[17, 26, 19, 24], 2].min()) - 0.45
    tubes = []
    for corners in ((36, 39), (42, 45)):
        x, y = landmarks[list(corners), :2].mean(0)
        side = np.sign(x)
        x = side * max(abs(x) + 0.15, half_width + 0.75)
        turn = np.linspace(0, 2 * np.pi, 49)
        c, s = np.cos(turn), np.sin(turn)
        rim = np.stack([_power(c, squareness) * half_width, _power(s, squareness) * half_height], 1)
        # The rims follow the curve of the face a little.
        bow = 0.045 * (np.abs(x + rim[:, 0]) - 1.0) ** 2
        tubes.append((np.stack([x + rim[:, 0], y + 0.35 + rim[:, 1], front + bow], 1), thick))
        hinge = np.array([x + side * half_width, y - 0.35, front + 0.045 * (abs(x) + half_width - 1) ** 2])
        ear = np.array([side * (np.abs(landmarks[[0, 16], 0]).max() + 0.9), y - 0.2, 0.5])
        tubes.append((np.stack([hinge, hinge + [side * 0.25, 0, 0.35], ear, ear + [0, 1.4, 1.6]]), 0.8 * thick))
    inner = [np.sign(t[0][0, 0]) * (np.abs(t[0][:, 0]).min()) for t in (tubes[0], tubes[2])]
    t = np.linspace(0, 1, 7)
    y = tubes[0][0][:, 1].mean() - 0.45
    tubes.append(
        (np.stack([inner[0] + (inner[1] - inner[0]) * t, y - 0.9 * t * (1 - t), front + 0 * t - 0.1], 1), thick)
    )
    built = [_tube(points, radius) for points, radius in tubes]
    first = np.cumsum([0] + [len(v) for v, _, _ in built])
    vertices = np.concatenate([v for v, _, _ in built]).astype(np.float32)
    normals = np.concatenate([n for _, n, _ in built]).astype(np.float32)
    triangles = np.concatenate([t + start for (_, _, t), start in zip(built, first, strict=False)])
    page = np.ones((PAGE_PX, PAGE_PX, 4), np.float32)
    page[..., :3] = linear_from_srgb(colour)
    corner = texel_corners(np.full((*triangles.shape, 2), 0.5, np.float32), atlas.add(page), PAGE_PX)
    return Surface(vertices, normals, Patch(triangles, corner, Material.PLASTIC))


def _power(c: Float[ndarray, " n"], squareness: float) -> Float[ndarray, " n"]:
    """Cosine or sine of a superellipse."""
    return np.sign(c) * np.abs(c) ** (2 / squareness)


def _tube(
    points: Float[ndarray, "n 3"], radius: float
) -> tuple[Float[ndarray, "v 3"], Float[ndarray, "v 3"], Int[ndarray, "t 3"]]:
    """Vertices, normals and triangles of a tube along a line."""
    along = np.gradient(points, axis=0)
    if np.allclose(points[0], points[-1]):
        along[[0, -1]] = points[1] - points[-2]
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    reference = np.where(np.abs(along[:, 2:]) > 0.8, [[0.0, 1, 0]], [[0.0, 0, 1]])
    a = np.cross(along, reference)
    a /= np.linalg.norm(a, axis=1, keepdims=True)
    b = np.cross(along, a)
    turn = np.arange(N_SIDES) * 2 * np.pi / N_SIDES
    out = np.cos(turn)[:, None] * a[:, None] + np.sin(turn)[:, None] * b[:, None]
    index = np.arange(len(points) * N_SIDES).reshape(-1, N_SIDES)
    p, q = index[:-1], index[1:]
    pn, qn = np.roll(p, -1, 1), np.roll(q, -1, 1)
    triangles = np.concatenate([np.stack([p, q, pn], -1).reshape(-1, 3), np.stack([pn, q, qn], -1).reshape(-1, 3)])
    return (points[:, None] + radius * out).reshape(-1, 3), out.reshape(-1, 3), triangles

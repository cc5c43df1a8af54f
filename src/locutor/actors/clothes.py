"""A knitted pullover: a lofted surface from the collar over the shoulders to below the picture."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Float32, Int
from numpy import ndarray

from locutor.actors.body import Material, Patch, Surface
from locutor.actors.look import Look
from locutor.actors.noise import space_noise
from locutor.actors.textures import Atlas, linear_from_srgb, texel_corners

CLOTH_PX = 1024
N_AROUND, N_DOWN = 160, 90
SKIN_HIDDEN_BELOW = 2.2
"""Skin this far (rig units) below the collar is not drawn."""


def collar(turn: Float[ndarray, "*b"], neckline: float) -> Float32[ndarray, "*b 3"]:
    """The neck opening by the angle around the neck, 0 in front; it dips by `neckline`."""
    c = np.cos(turn)
    y = 10.9 + 4.4 * neckline * np.clip(c, 0, None) ** 1.6 - 1.2 * np.clip(-c, 0, None)
    return np.stack([6.9 * np.sin(turn), y, 1.4 - 5.9 * c], -1).astype(np.float32)


def under_collar(vertices: Float32[ndarray, "V 3"], neckline: float) -> ndarray:
    """Which places of the body lie below the collar, under the cloth."""
    turn = np.arctan2(vertices[:, 0] / 6.9, (1.4 - vertices[:, 2]) / 5.9)
    return vertices[:, 1] > collar(turn, neckline)[:, 1] + SKIN_HIDDEN_BELOW


def pullover(atlas: Atlas, look: Look, seed: int) -> Surface:
    """The garment, in the frame of the neutral head.

    Args:
        atlas: receives the page of the cloth.
        look: yarns, pattern and neckline.
        seed: of the folds and the yarn.
    """
    turn = np.linspace(-np.pi, np.pi, N_AROUND + 1)[None, :]
    down = np.linspace(0, 1, N_DOWN)[:, None]
    s, c = np.sin(turn), np.cos(turn)
    side = np.abs(s) ** 1.3
    top = collar(turn + 0 * down, look.neckline)
    zero = 0 * down * turn
    shoulder = np.stack([14.0 * s, 12.8 + 5.5 * (1 - side) + 0 * s, 1.8 - 7.2 * c], -1) + zero[..., None]
    arm = np.stack([25.5 * s, 13.5 + 12.0 * (1 - side), 2.0 - 11.0 * c], -1) + zero[..., None]
    hem = np.stack([21.0 * s, 44.0 + 0 * s, 2.0 - 10.5 * c], -1) + zero[..., None]
    t = down[..., None]
    points = (1 - t) ** 3 * top + 3 * (1 - t) ** 2 * t * shoulder + 3 * (1 - t) * t**2 * arm + t**3 * hem
    # The rolled rib of the collar, then folds that grow towards the arms.
    outward = np.stack([s + zero, -0.25 + zero, -c + zero], -1)
    rib = np.exp(-(((t[..., 0] - 0.02) / 0.022) ** 2))
    folds = 0.16 * space_noise(points * [0.6, 0.35, 0.6], 2.2, seed) * np.clip(t[..., 0] * 4, 0, 1)
    points = points + outward * (0.55 * rib + folds)[..., None]
    points[0] += [0, 1.0, 0]  # tuck the first ring under the roll
    index = np.arange(N_DOWN * (N_AROUND + 1)).reshape(N_DOWN, N_AROUND + 1)
    a, b, d, e = index[:-1, :-1], index[:-1, 1:], index[1:, :-1], index[1:, 1:]
    triangles = np.concatenate([np.stack([a, d, b], -1).reshape(-1, 3), np.stack([b, d, e], -1).reshape(-1, 3)])
    uv = np.stack([turn / (2 * np.pi) + 0.5 + 0 * down, 1 - down + 0 * turn], -1).reshape(-1, 2)
    x = clothes_page(atlas, look, seed)
    corner = texel_corners(uv[triangles].astype(np.float32), x, CLOTH_PX)
    vertices = points.reshape(-1, 3).astype(np.float32)
    return Surface(vertices, _normals(vertices, triangles), Patch(triangles, corner, Material.CLOTH), head_share=0.0)


def _normals(vertices: Float32[ndarray, "n 3"], triangles: Int[ndarray, "m 3"]) -> Float32[ndarray, "n 3"]:
    """Unit normals; the triangles around a vertex count by their area."""
    corners = vertices[triangles]
    areas = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals = np.zeros_like(vertices)
    for k in range(3):
        np.add.at(normals, triangles[:, k], areas)
    return normals / (np.linalg.norm(normals, axis=1, keepdims=True) + 1e-9)


def clothes_page(atlas: Atlas, look: Look, seed: int) -> int:
    """Add a page of knitted cloth; returns the column where it begins."""
    return atlas.add(_cloth_page(look, seed))


def _cloth_page(look: Look, seed: int) -> Float32[ndarray, "S S 4"]:
    """Yarn in knitted ribs with the look's pattern; u runs around, v down."""
    rng = np.random.default_rng(seed)
    v, u = np.mgrid[0:CLOTH_PX, 0:CLOTH_PX].astype(np.float32) / CLOTH_PX
    place = np.stack([u * 90, v * 45, 0 * u], -1)
    mixed = 0.22 if look.pattern == "marl" else 0.09
    marl = mixed * space_noise(place * [1.0, 2.2, 1], 0.55, seed + 1) + 0.05 * space_noise(place, 2.5, seed + 2)
    stitch = 0.10 * np.sin(2 * np.pi * (u * 150)) + 0.05 * np.sin(2 * np.pi * (v * 120 + np.abs((u * 150) % 1 - 0.5)))
    shift = rng.uniform(0, 1)
    bands = v * 22 + shift
    match look.pattern:
        case "diamonds":
            diamond = np.abs((u * 44) % 1 - 0.5) + np.abs(bands % 1 - 0.5) < 0.27
            second = diamond & (bands.astype(int) % 3 == 1) & (v > 0.08)
        case "stripes":
            second = (bands.astype(int) % 2 == 1) & (v > 0.08)
        case _:
            second = np.zeros_like(v, bool)
    pattern = second[..., None].astype(np.float32)
    yarn, other = linear_from_srgb(look.yarn), linear_from_srgb(look.second_yarn)
    colour = (yarn * (1 - pattern) + other * pattern) * (1 + marl + stitch)[..., None].clip(0.3, 2)
    return np.concatenate([colour, np.ones_like(u)[..., None]], -1).astype(np.float32)

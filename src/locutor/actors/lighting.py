"""Light: how much of the sky and of the key lamp each vertex sees, and the shade of a visible point."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Float32, Int
from numpy import ndarray

from locutor.actors.body import Material
from locutor.actors.renderer import interpolate, visible_triangles


def _unit(*v: float) -> Float32[ndarray, " 3"]:
    return (np.array(v) / np.linalg.norm(v)).astype(np.float32)


# Directions towards the lamps (x right, y down, z away from the camera) and their linear colours.
KEY, KEY_COLOUR = _unit(-0.55, -0.62, -0.75), np.array([1.02, 0.98, 0.92], np.float32) * 1.15
FILL, FILL_COLOUR = _unit(0.85, -0.15, -0.6), np.array([0.80, 0.90, 1.0], np.float32) * 0.22
RIM, RIM_COLOUR = _unit(0.75, -0.5, 0.65), np.array([1.0, 0.97, 0.92], np.float32) * 0.35
SKY_COLOUR, GROUND_COLOUR = np.array([0.41, 0.44, 0.49], np.float32), np.array([0.20, 0.17, 0.155], np.float32)
TO_EYE = _unit(0.0, 0.0, -1.0)
KEY_RADIUS = 0.22  # of the lamp as a disc seen from the face: soft shadows

# By material: skin, eye, tooth, flesh, hair, cloth.
GLOSS = np.array([22.0, 220.0, 60.0, 30.0, 24.0, 8.0], np.float32)
SHINE = np.array([0.10, 1.6, 0.30, 0.16, 0.10, 0.015], np.float32)
WRAP = np.array(
    [[0.32, 0.14, 0.10], [0.3, 0.25, 0.25], [0.3, 0.25, 0.2], [0.3, 0.1, 0.1], [0.2, 0.2, 0.2], [0.1, 0.1, 0.1]],
    np.float32,
)
"""How far light creeps around the edge, per colour: red travels furthest in skin."""


def visibility(
    vertices: Float[ndarray, "V 3"],
    normals: Float[ndarray, "V 3"],
    triangles: Int[ndarray, "M 3"],
    n_directions: int = 40,
    size_px: int = 384,
) -> Float32[ndarray, "V 2"]:
    """The cosine-weighted part of the sky, and the part of the key lamp, that each vertex sees (0..1).

    Depth maps from many directions stand for rays; the lamp is the mean over a few points of its disc.
    """
    k = np.arange(n_directions) + 0.5  # Fibonacci sphere
    polar, turn = np.arccos(1 - 2 * k / n_directions), np.pi * (1 + 5**0.5) * k
    sky = np.stack([np.sin(polar) * np.cos(turn), np.cos(polar), np.sin(polar) * np.sin(turn)], 1)
    seen, weight = np.zeros(len(vertices)), np.full(len(vertices), 1e-6)
    for direction in sky:
        cosine = np.clip(normals @ direction, 0, None)
        seen += cosine * _lit(vertices, normals, triangles, direction, size_px)
        weight += cosine
    side, up = np.cross(KEY, [0, 1, 0]), np.cross(KEY, np.cross(KEY, [0, 1, 0]))
    lamp = [KEY + KEY_RADIUS * r * (np.cos(a) * side + np.sin(a) * up) for r in (0.4, 0.9) for a in np.arange(6) * 1.05]
    key = np.mean([_lit(vertices, normals, triangles, d / np.linalg.norm(d), size_px) for d in lamp], 0)
    return np.stack([seen / weight, key], 1).astype(np.float32)


def _lit(
    vertices: Float[ndarray, "V 3"], normals: Float[ndarray, "V 3"], triangles: ndarray, towards: ndarray, size_px: int
) -> Float32[ndarray, " V"]:
    """Which vertices a distant lamp reaches: 0..1, from a 2 x 2 neighbourhood of a depth map."""
    side = np.cross(towards, [0, 1, 0.01])
    side /= np.linalg.norm(side)
    axes = np.stack([side, np.cross(towards, side), -towards])  # rows: right, down, away from the lamp
    local = vertices @ axes.T
    low, high = local.min(0), local.max(0)
    scale = (size_px - 4) / (high - low)[:2].max()
    xy, depth = (local[:, :2] - low[:2]) * scale + 2, local[:, 2] - low[2] + 1
    seen = visible_triangles(xy, depth, triangles, size_px, size_px)
    buffer = np.full(size_px * size_px, np.inf, np.float32)
    buffer[seen.pixel] = interpolate(seen, xy, triangles, depth[triangles][..., None], size_px)[:, 0]
    # A lift along the normal and a slope-dependent bias keep a surface from shading itself.
    lifted = vertices + 0.12 * normals
    at = (lifted @ axes.T - low) * [scale, scale, 1] + [2, 2, 1]
    column, row = (np.clip((at[:, k] - 0.5).astype(int), 0, size_px - 2) for k in (0, 1))
    hits = [at[:, 2] < buffer[(row + i) * size_px + column + j] + 1.0 / scale for i in (0, 1) for j in (0, 1)]
    return np.mean(hits, 0).astype(np.float32)


def shade(
    texel: Float32[ndarray, "P 4"],
    normal: Float32[ndarray, "P 3"],
    visible: Float32[ndarray, "P 2"],
    material: Int[ndarray, " P"],
) -> Float32[ndarray, "P 3"]:
    """Linear colour of visible points: wrapped diffuse light of three lamps, hemisphere ambient, one highlight.

    Args:
        texel: linear albedo and highlight strength.
        normal: towards the outside, any length.
        visible: what `visibility` gives.
    """
    n = normal / (np.linalg.norm(normal, axis=1, keepdims=True) + 1e-6)
    wrap = WRAP[material]
    sky, key = visible[:, :1], visible[:, 1:]
    up = 0.5 - 0.5 * n[:, 1:2]
    light = (SKY_COLOUR * up + GROUND_COLOUR * (1 - up)) * sky
    light += KEY_COLOUR * key * np.clip((n @ KEY[:, None] + wrap) / (1 + wrap), 0, None)
    light += FILL_COLOUR * sky * np.clip((n @ FILL[:, None] + wrap) / (1 + wrap), 0, None)
    light += RIM_COLOUR * sky * np.clip(n @ RIM[:, None], 0, None)
    half = KEY + TO_EYE
    facing = np.clip(n @ (half / np.linalg.norm(half)), 0, 1)
    highlight = SHINE[material] * texel[:, 3] * facing ** GLOSS[material] * (0.15 * sky + 0.85 * key)[:, 0]
    tinted = (material == Material.HAIR)[:, None] * (3.0 * texel[:, :3] - 1) + 1  # a hair's highlight takes its colour
    return texel[:, :3] * light + highlight[:, None] * KEY_COLOUR * tinted

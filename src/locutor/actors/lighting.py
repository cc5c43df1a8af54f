"""Light: how much of the sky and of the key lamp each vertex sees, and the shade of a visible point."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32, Int
from numpy import ndarray

from locutor.actors.body import Material
from locutor.actors.renderer import interpolate, parts, visible_triangles


def _unit(*v: float) -> Float32[ndarray, " 3"]:
    return (np.array(v) / np.linalg.norm(v)).astype(np.float32)


@dataclass(frozen=True)
class Light:
    """The lamps. Directions are unit vectors towards them (x right, y down, z away from the camera), colours linear.

    Attributes:
        key, key_colour: the main lamp, the only one that throws shadows.
        fill, fill_colour: a weak one from the other side.
        rim, rim_colour: one from behind.
        sky, ground: what comes from above and from below.
    """

    key: Float32[ndarray, " 3"]
    key_colour: Float32[ndarray, " 3"]
    fill: Float32[ndarray, " 3"]
    fill_colour: Float32[ndarray, " 3"]
    rim: Float32[ndarray, " 3"]
    rim_colour: Float32[ndarray, " 3"]
    sky: Float32[ndarray, " 3"]
    ground: Float32[ndarray, " 3"]


def studio_light(azimuth_deg: float, height_deg: float, warmth: float, contrast: float) -> Light:
    """A key lamp and what belongs to it.

    Args:
        azimuth_deg: of the key lamp, 0 beside the camera, positive to the right of the image.
        height_deg: of the key lamp above the eyes.
        warmth: -1 (blue daylight) to 1 (a bulb).
        contrast: 0 (overcast) to 1 (one lamp in a dark room).
    """
    a, h = np.radians([azimuth_deg, height_deg])
    side = 1.0 if azimuth_deg >= 0 else -1.0
    tint = np.array([1 + 0.16 * warmth, 1.0, 1 - 0.22 * warmth], np.float32)
    cool = np.array([1 - 0.10 * warmth, 1.0, 1 + 0.14 * warmth], np.float32)
    return Light(
        key=_unit(np.sin(a) * np.cos(h), -np.sin(h), -np.cos(a) * np.cos(h)),
        key_colour=(0.85 + 0.45 * contrast) * tint,
        fill=_unit(-0.85 * side, -0.15, -0.6),
        fill_colour=(0.32 - 0.18 * contrast) * cool,
        rim=_unit(-0.75 * side, -0.5, 0.65),
        rim_colour=(0.2 + 0.3 * contrast) * tint,
        sky=(0.60 - 0.30 * contrast) * cool,
        ground=(0.30 - 0.16 * contrast) * np.array([1.05, 0.95, 0.88], np.float32),
    )


TO_EYE = _unit(0.0, 0.0, -1.0)
KEY_RADIUS = 0.22  # of the lamp as a disc seen from the face: soft shadows

# By material: skin, eye, tooth, flesh, hair, cloth, plastic.
GLOSS = np.array([22.0, 220.0, 60.0, 30.0, 24.0, 8.0, 50.0], np.float32)
SHINE = np.array([0.10, 1.6, 0.30, 0.16, 0.10, 0.015, 0.35], np.float32)
WRAP = np.array(
    [
        [0.32, 0.14, 0.10],
        [0.30, 0.25, 0.25],
        [0.30, 0.25, 0.20],
        [0.30, 0.10, 0.10],
        [0.20, 0.20, 0.20],
        [0.10, 0.10, 0.10],
        [0.05, 0.05, 0.05],
    ],
    np.float32,
)
"""How far light creeps around the edge, per colour: red travels furthest in skin."""


def visibility(
    vertices: Float[ndarray, "V 3"],
    normals: Float[ndarray, "V 3"],
    triangles: Int[ndarray, "M 3"],
    key: Float32[ndarray, " 3"],
    n_directions: int = 20,
    size_px: int = 320,
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
    side, up = np.cross(key, [0, 1, 0]), np.cross(key, np.cross(key, [0, 1, 0]))
    lamp = [key + KEY_RADIUS * r * (np.cos(a) * side + np.sin(a) * up) for r in (0.4, 0.9) for a in np.arange(4) * 1.57]
    lit = np.mean([_lit(vertices, normals, triangles, d / np.linalg.norm(d), size_px) for d in lamp], 0)
    return np.stack([seen / weight, lit], 1).astype(np.float32)


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
    lamps: Light,
) -> Float32[ndarray, "P 3"]:
    """Linear colour of visible points: wrapped diffuse light of three lamps, hemisphere ambient, one highlight.

    Args:
        texel: linear albedo and highlight strength.
        normal: towards the outside, any length.
        visible: what `visibility` gives.
        lamps: the light.
    """
    out = np.empty((len(texel), 3), np.float32)
    for part in parts(len(texel)):
        out[part] = _shade(texel[part], normal[part], visible[part], material[part], lamps)
    return out


def _shade(texel: ndarray, normal: ndarray, visible: ndarray, material: ndarray, lamps: Light) -> ndarray:
    half = lamps.key + TO_EYE
    towards = np.stack([lamps.key, lamps.fill, lamps.rim, half / np.linalg.norm(half)], 1)
    length = np.sqrt(np.einsum("pk,pk->p", normal, normal)) + np.float32(1e-6)
    cosine = normal @ towards / length[:, None]
    sky, key = visible[:, 0], visible[:, 1]
    up = 0.5 - 0.5 * normal[:, 1] / length
    light = lamps.ground + up[:, None] * (lamps.sky - lamps.ground)
    light += np.maximum(cosine[:, 2:3], 0) * lamps.rim_colour
    wrap, scale = WRAP[material], (1 / (1 + WRAP))[material]
    light += np.maximum(cosine[:, 1:2] + wrap, 0) * scale * lamps.fill_colour
    light *= sky[:, None]
    light += np.maximum(cosine[:, :1] + wrap, 0) * scale * (key[:, None] * lamps.key_colour)
    colour = texel[:, :3] * light
    # A highlight below a thousandth is not worth its power function.
    bright = np.flatnonzero(GLOSS[material] * (1 - cosine[:, 3]) < 7.0)
    at, kind = texel[bright], material[bright]
    strength = SHINE[kind] * at[:, 3] * np.maximum(cosine[bright, 3], 0) ** GLOSS[kind]
    strength *= 0.15 * sky[bright] + 0.85 * key[bright]
    tinted = np.where((kind == Material.HAIR)[:, None], 3.0 * at[:, :3], 1)  # a hair's highlight takes its colour
    colour[bright] += strength[:, None] * lamps.key_colour * tinted
    return colour

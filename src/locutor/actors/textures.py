"""One atlas of textures for the whole actor, and painting them as functions of the place on the body."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from jaxtyping import Float, Float32, Int
from numpy import ndarray
from scipy.ndimage import distance_transform_edt

from locutor.actors.renderer import interpolate, visible_triangles

Page = Float32[ndarray, "S S 4"]
"""Linear red, green, blue and the strength of the highlight."""


def linear_from_srgb(srgb: Float[ndarray, "*batch"] | tuple[float, ...] | float) -> Float32[ndarray, "*batch"]:
    """Linear light of sRGB values in 0..1 (IEC 61966-2-1)."""
    s = np.asarray(srgb, np.float32)
    return np.where(s <= 0.04045, s / 12.92, ((np.maximum(s, 0) + 0.055) / 1.055) ** 2.4).astype(np.float32)


def srgb_from_linear(linear: Float[ndarray, "*batch"]) -> Float32[ndarray, "*batch"]:
    """sRGB values in 0..1 of linear light, clipped."""
    c = np.clip(linear, 0, 1)
    return np.where(c <= 0.0031308, 12.92 * c, 1.055 * c ** (1 / 2.4) - 0.055).astype(np.float32)


@dataclass
class Atlas:
    """Square pages side by side in one image, filled while the actor is built."""

    pages: list[Page] = field(default_factory=list)

    def add(self, page: Page) -> int:
        """Append a page; returns the column where it begins."""
        x = sum(p.shape[1] for p in self.pages)
        self.pages.append(page)
        return x

    def image(self) -> Float32[ndarray, "H W 4"]:
        """All pages in one image."""
        height = max(p.shape[0] for p in self.pages)
        return np.concatenate([np.pad(p, ((0, height - p.shape[0]), (0, 0), (0, 0))) for p in self.pages], 1)


def texel_corners(uv: Float[ndarray, "*batch 2"], x: int, size: int) -> Float32[ndarray, "*batch 2"]:
    """Texture coordinates (v up, 0..1) of a page beginning at column `x` to atlas pixels, a margin kept."""
    inner = np.clip(np.stack([uv[..., 0], 1 - uv[..., 1]], -1) * size, 0.5, size - 0.5)
    return (inner + np.array([x, 0])).astype(np.float32)


def places(values: Float[ndarray, "M 3 K"], uv: Float[ndarray, "M 3 2"], size: int) -> Float32[ndarray, "S S K"]:
    """For each texel of a page the interpolated vertex values (such as positions).

    Unused texels take the values of the nearest used one, so that filtering across a seam stays clean.
    """
    xy = np.stack([uv[..., 0], 1 - uv[..., 1]], -1).reshape(-1, 2) * size
    triangles = np.arange(len(xy)).reshape(-1, 3)
    seen = visible_triangles(xy, np.ones(len(xy)), triangles, size, size)
    texels = np.zeros((size * size, values.shape[2]), np.float32)
    texels[seen.pixel] = interpolate(seen, xy, triangles, values, size)
    used = np.zeros(size * size, bool)
    used[seen.pixel] = True
    nearest = distance_transform_edt(~used.reshape(size, size), return_distances=False, return_indices=True)
    return texels.reshape(size, size, -1)[tuple(nearest)]


def polygon_mask(
    uv: Float[ndarray, "N 2"], size: int, blur_px: float, samples_per_side: int = 12
) -> Float32[ndarray, "S S"]:
    """Soft mask of a closed Catmull-Rom curve through points in texture coordinates."""
    points = np.stack([uv[:, 0], 1 - uv[:, 1]], 1) * size
    p = [np.roll(points, k, 0)[:, None] for k in (1, 0, -1, -2)]
    t = np.linspace(0, 1, samples_per_side, endpoint=False)[None, :, None]
    curve = 0.5 * (
        2 * p[1] + (p[2] - p[0]) * t + (2 * p[0] - 5 * p[1] + 4 * p[2] - p[3]) * t**2
        + (3 * p[1] - p[0] - 3 * p[2] + p[3]) * t**3
    )  # fmt: skip
    mask = np.zeros((size, size), np.uint8)
    cv2.fillPoly(mask, [np.round(curve.reshape(-1, 2) * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    return cv2.GaussianBlur(mask.astype(np.float32) / 255, (0, 0), blur_px)


def vertex_uv(triangles: Int[ndarray, "M 3"], corner_uv: Float[ndarray, "M 3 2"], n: int) -> Float32[ndarray, "V 2"]:
    """One texture coordinate per vertex (any of its corners)."""
    out = np.zeros((n, 2), np.float32)
    out[triangles.reshape(-1)] = corner_uv.reshape(-1, 2)
    return out

"""A small software z-buffer for dense meshes; needs no display and no GPU.

Attributes are interpolated affinely on the screen, which is right for triangles of a few pixels.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float32, Int
from numpy import ndarray

from locutor._native import draw_nearest

NO_TRIANGLE = -1
PART = 16_384  # pixels


@dataclass(frozen=True)
class Visible:
    """What the z-buffer kept: one entry per covered pixel, in raster order.

    Attributes:
        pixel: index into the flattened image.
        triangle: row of the triangle list that is seen there.
    """

    pixel: Int[ndarray, " P"]
    triangle: Int[ndarray, " P"]


def visible_triangles(
    xy: Float[ndarray, "V 2"],
    depth: Float[ndarray, " V"],
    triangles: Int[ndarray, "M 3"],
    width: int,
    height: int,
    two_sided: bool | Bool[ndarray, " M"] = True,
) -> Visible:
    """The nearest triangle at every pixel centre, in native code. Several threads may draw at once.

    Args:
        xy: vertices on the screen, px; pixel (i, j) has its centre at (j + .5, i + .5).
        depth: distance of the vertices from the camera, positive; triangles that reach behind it are dropped.
        triangles: vertex indices; seen from the front they run counter-clockwise.
        width, height: size of the image, px.
        two_sided: whether triangles seen from behind are drawn too, for all or for each.

    Raises:
        ValueError: a triangle names a vertex that does not exist.
    """
    nearest = np.empty((height, width), np.int32)
    draw_nearest(
        np.ascontiguousarray(xy, np.float64),
        np.ascontiguousarray(depth, np.float64),
        np.ascontiguousarray(triangles, np.int32),
        np.ascontiguousarray(np.broadcast_to(two_sided, len(triangles)), np.uint8),
        nearest,
    )
    pixel = np.flatnonzero(nearest != NO_TRIANGLE)
    return Visible(pixel, nearest.reshape(-1)[pixel].astype(np.int64))


def interpolate(
    visible: Visible,
    xy: Float[ndarray, "V 2"],
    triangles: Int[ndarray, "M 3"],
    corner_values: Float[ndarray, "M 3 K"],
    width: int,
) -> Float32[ndarray, "P K"]:
    """Values given at the triangles' corners, at the visible pixels.

    Each triangle seen becomes one plane per value, value = c + x * cx + y * cy, evaluated at its pixels.
    """
    seen, slot = _compact(visible.triangle, len(triangles))
    corners = xy[triangles[seen]].astype(np.float64)
    values = corner_values[seen].astype(np.float64)
    e1, e2 = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    area = (e1[:, 0] * e2[:, 1] - e1[:, 1] * e2[:, 0])[:, None]
    d1, d2 = values[:, 1] - values[:, 0], values[:, 2] - values[:, 0]
    slope_x = (d1 * e2[:, 1:] - d2 * e1[:, 1:]) / area
    slope_y = (d2 * e1[:, :1] - d1 * e2[:, :1]) / area
    offset = values[:, 0] - slope_x * corners[:, 0, :1] - slope_y * corners[:, 0, 1:]
    planes = np.concatenate([offset, slope_x, slope_y], 1).astype(np.float32)
    n_values = values.shape[2]
    out = np.empty((len(slot), n_values), np.float32)
    for part in parts(len(slot)):
        plane, pixel = planes[slot[part]], visible.pixel[part]
        x = (pixel % width + 0.5).astype(np.float32)[:, None]
        y = (pixel // width + 0.5).astype(np.float32)[:, None]
        out[part] = plane[:, :n_values] + plane[:, n_values : 2 * n_values] * x + plane[:, 2 * n_values :] * y
    return out


def parts(n: int) -> Iterator[slice]:
    """Pieces of n pixels, small enough for what is computed of one to stay in the cache: twice as fast as whole."""
    return (slice(start, start + PART) for start in range(0, n, PART))


def _compact(triangle: Int[ndarray, " P"], n_triangles: int) -> tuple[Int[ndarray, " S"], Int[ndarray, " P"]]:
    """The triangles that are seen, and for each pixel the row among them."""
    is_seen = np.zeros(n_triangles, bool)
    is_seen[triangle] = True
    return np.flatnonzero(is_seen), (np.cumsum(is_seen) - 1)[triangle]

"""The z-buffer in NumPy, vectorised over fragments: the truth that the native one is tested against.

Triangles are cut into pixel rows, rows into fragments, and the nearest fragment of each pixel is kept.
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from numpy import ndarray

_FAR = np.iinfo(np.int64).max


def visible_triangles_reference(
    xy: Float[ndarray, "V 2"],
    depth: Float[ndarray, " V"],
    triangles: Int[ndarray, "M 3"],
    width: int,
    height: int,
    two_sided: bool | Bool[ndarray, " M"] = True,
) -> tuple[Int[ndarray, " P"], Int[ndarray, " P"]]:
    """Twin of `locutor.actors.renderer.visible_triangles`: same arguments, returns pixels and triangles."""
    corners = xy[triangles].astype(np.float64)  # M 3 2
    z = depth[triangles].astype(np.float64)
    e1, e2 = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    area = e1[:, 0] * e2[:, 1] - e1[:, 1] * e2[:, 0]
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]  # chained minima are ten times faster than min(axis=1)
    low, high = np.minimum(np.minimum(a, b), c), np.maximum(np.maximum(a, b), c)
    inside = (high[:, 0] > 0) & (high[:, 1] > 0) & (low[:, 0] < width) & (low[:, 1] < height)
    inside &= np.minimum(np.minimum(z[:, 0], z[:, 1]), z[:, 2]) > 0
    keep = np.flatnonzero(inside & (np.where(two_sided, np.abs(area), -area) > 1e-9))
    corners, z, area = corners[keep], z[keep], area[keep]

    first_row = np.clip(np.ceil(low[keep, 1] - 0.5), 0, height).astype(np.int64)
    end_row = np.clip(np.ceil(high[keep, 1] - 0.5), 0, height).astype(np.int64)
    owner, row = _expand(first_row, end_row)
    start, end = _spans(corners, np.sign(area), owner, row, width)
    span, column = _expand(start, end)

    dz1, dz2 = z[:, 1] - z[:, 0], z[:, 2] - z[:, 0]
    e1, e2 = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    slope_x = (dz1 * e2[:, 1] - dz2 * e1[:, 1]) / area
    slope_y = (dz2 * e1[:, 0] - dz1 * e2[:, 0]) / area
    at_row = z[owner, 0] - slope_x[owner] * (corners[owner, 0, 0] - 0.5)
    at_row += slope_y[owner] * (row + 0.5 - corners[owner, 0, 1])
    fragment_z = at_row[span] + slope_x[owner[span]] * column
    scale = 2**30 / max(float(z.max()) if len(z) else 1.0, 1e-9)
    # Depth in the high half, the triangle in the low half: one minimum decides both.
    packed = (np.clip(fragment_z * scale, 0, 2**31 - 1).astype(np.int64) << 32) | keep[owner[span]]
    flat = (row * width)[span] + column
    buffer = torch.full((height * width,), _FAR, dtype=torch.int64)
    buffer.scatter_reduce_(0, torch.from_numpy(flat), torch.from_numpy(packed), "amin")
    nearest = buffer.numpy()
    pixel = np.flatnonzero(nearest != _FAR)
    return pixel, nearest[pixel] & 0xFFFFFFFF


def _expand(start: Int[ndarray, " N"], end: Int[ndarray, " N"]) -> tuple[Int[ndarray, " F"], Int[ndarray, " F"]]:
    """All (i, k) with start[i] <= k < end[i]."""
    count = np.maximum(end - start, 0)
    owner = np.repeat(np.arange(len(count)), count)
    first = np.cumsum(count) - count
    return owner, np.arange(len(owner)) + np.repeat(start - first, count)


def _spans(
    corners: Float[ndarray, "M 3 2"],
    orientation: Float[ndarray, " M"],
    owner: Int[ndarray, " R"],
    row: Int[ndarray, " R"],
    width: int,
) -> tuple[Int[ndarray, " R"], Int[ndarray, " R"]]:
    """First and end column of each (triangle, row): the pixel centres inside all three edges."""
    low, high = np.full(len(row), -0.5), np.full(len(row), width + 0.5)
    y = row + 0.5
    for k in range(3):
        a, b = corners[:, k], corners[:, (k + 1) % 3]
        dx, dy = (b - a).T
        with np.errstate(divide="ignore", invalid="ignore"):
            crossing = a[owner, 0] + (y - a[owner, 1]) * (dx / dy)[owner]
        # Inside is where orientation * cross(b - a, p - a) >= 0, so x falls off towards an edge that goes down.
        falls = (dy * orientation)[owner]
        high = np.where(falls > 0, np.minimum(high, crossing), high)
        low = np.where(falls < 0, np.maximum(low, crossing), low)
    start = np.clip(np.ceil(low - 0.5), 0, width).astype(np.int64)
    end = np.clip(np.ceil(high - 0.5), 0, width).astype(np.int64)
    return start, end

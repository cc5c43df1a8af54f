"""The forward pass in numba, as well as we can write it: what a just-in-time compiler gives, against our C++.

Same rules (docs/rasteriser.md), 16x16 tiles, radix sort by depth, one list per tile, rows outside of a Gaussian's reach
skipped, pixels that are finished masked, tiles that are finished left. `fastmath` and `parallel` are on. LLVM does not
vectorise calls of `exp` without Intel's SVML, so the exponential is a polynomial that it can vectorise.
"""

from __future__ import annotations

import numba
import numpy as np
from numba import njit, prange
from numpy import float32, int32, ndarray, uint32

from locutor.core.camera import Camera
from locutor.splat import Gaussians
from locutor.splat.reference import BLUR_PX2, MARGIN, MAX_ALPHA, MIN_ALPHA, MIN_TRANSMITTANCE, NEAR

TILE = 16
DIGIT = 11  # bits of the radix sort's digits
ZERO, ONE, HALF, TWO = float32(0), float32(1), float32(0.5), float32(2)
NEAR32, BLUR, LOG2_E = float32(NEAR), float32(BLUR_PX2), float32(np.log2(np.e))
TOP, LEAST, FINISHED = float32(MAX_ALPHA), float32(MIN_ALPHA), float32(MIN_TRANSMITTANCE)
# exp2 on [-1/2, 1/2]: Taylor coefficients of ln(2)^k / k!, relative error below 4e-6
C1, C2, C3, C4, C5 = (float32(np.log(2) ** k / f) for k, f in ((1, 1), (2, 2), (3, 6), (4, 24), (5, 120)))

ROUNDER = float32(1.5 * 2**23)  # added to a small number it leaves the nearest integer in the low bits
ROUNDER_BITS = ROUNDER.view(int32)


@njit(fastmath=True, cache=True)
def exp2(x):
    """2 to the power of a float32 <= 0."""
    x = max(x, float32(-60))
    whole = int32(float32(x + ROUNDER).view(np.int32) - ROUNDER_BITS)
    rest = x - float32(whole)
    fraction = ONE + rest * (C1 + rest * (C2 + rest * (C3 + rest * (C4 + rest * C5))))
    return int32(float32(fraction).view(np.int32) + (whole << int32(23))).view(np.float32)


@njit(parallel=True, fastmath=True, cache=True)
def project(means, quats, scales, opacities, view, splats, depths, rects):
    """Centre, conic, opacity and vertical reach of each Gaussian; which tiles it touches (empty if not drawn)."""
    focal, cx, cy, width, height, margin_x, margin_y = view
    columns, rows = int32((width + TILE - 1) // TILE), int32((height + TILE - 1) // TILE)
    for i in prange(len(means)):
        z = means[i, 2]
        depths[i] = z
        rects[i, 0] = rects[i, 1] = rects[i, 2] = rects[i, 3] = int32(0)
        if z < NEAR32 or opacities[i] < LEAST:
            continue
        rz = ONE / z
        x, y = means[i, 0] * rz, means[i, 1] * rz
        u, v = focal * x + cx, focal * y + cy
        x = min(max(x, -(cx + margin_x) / focal), (width - cx + margin_x) / focal)
        y = min(max(y, -(cy + margin_y) / focal), (height - cy + margin_y) / focal)
        qw, qx, qy, qz = quats[i, 0], quats[i, 1], quats[i, 2], quats[i, 3]
        s = TWO / (qw * qw + qx * qx + qy * qy + qz * qz)
        f = focal * rz
        xx, xy, yy = BLUR, ZERO, BLUR
        for k in range(3):
            if k == 0:
                r0, r1, r2 = ONE - s * (qy * qy + qz * qz), s * (qx * qy + qw * qz), s * (qx * qz - qw * qy)
            elif k == 1:
                r0, r1, r2 = s * (qx * qy - qw * qz), ONE - s * (qx * qx + qz * qz), s * (qy * qz + qw * qx)
            else:
                r0, r1, r2 = s * (qx * qz + qw * qy), s * (qy * qz - qw * qx), ONE - s * (qx * qx + qy * qy)
            a = f * scales[i, k] * (r0 - x * r2)
            b = f * scales[i, k] * (r1 - y * r2)
            xx += a * a
            xy += a * b
            yy += b * b
        inverse = ONE / (xx * yy - xy * xy)
        bound = TWO * np.log(opacities[i] / LEAST)  # q of the pixels where alpha is 1/255
        half_x, half_y = np.sqrt(bound * xx), np.sqrt(bound * yy)
        splats[i, 0], splats[i, 1] = u, v
        scale = -HALF * LOG2_E * inverse
        splats[i, 2], splats[i, 3], splats[i, 4] = scale * yy, -TWO * scale * xy, scale * xx
        splats[i, 5], splats[i, 6] = opacities[i], half_y
        rects[i, 0] = max(int32(np.floor((u - half_x) / TILE)), int32(0))
        rects[i, 1] = min(int32(np.floor((u + half_x) / TILE)) + int32(1), columns)
        rects[i, 2] = max(int32(np.floor((v - half_y) / TILE)), int32(0))
        rects[i, 3] = min(int32(np.floor((v + half_y) / TILE)) + int32(1), rows)


@njit(cache=True)
def sort_by_depth(depths, order, other):
    """Stable radix sort of positive float32 depths by their bits, less the smallest; as many digits as differ."""
    keys = depths.view(np.uint32)
    least, most = keys.min(), keys.max()
    order[:] = np.arange(len(keys))
    shift = 0
    while (most - least) >> uint32(shift) > 0:
        count = np.zeros((1 << DIGIT) + 1, np.int64)
        for i in range(len(keys)):
            count[(((keys[i] - least) >> uint32(shift)) & uint32((1 << DIGIT) - 1)) + 1] += 1
        for d in range(1 << DIGIT):
            count[d + 1] += count[d]
        for i in range(len(keys)):
            d = ((keys[order[i]] - least) >> uint32(shift)) & uint32((1 << DIGIT) - 1)
            other[count[d]] = order[i]
            count[d] += 1
        order[:] = other
        shift += DIGIT


@njit(cache=True)
def bin_tiles(order, rects, columns, rows):
    """The Gaussians of each tile in depth order: all in one array, and where each tile's begin."""
    starts = np.zeros(rows * columns + 1, np.int64)
    for i in range(len(rects)):
        for row in range(rects[i, 2], rects[i, 3]):
            for column in range(rects[i, 0], rects[i, 1]):
                starts[row * columns + column + 1] += 1
    for tile in range(rows * columns):
        starts[tile + 1] += starts[tile]
    listed = np.empty(starts[-1], np.int32)
    at = starts[:-1].copy()
    for n in range(len(order)):
        i = order[n]
        for row in range(rects[i, 2], rects[i, 3]):
            for column in range(rects[i, 0], rects[i, 1]):
                tile = row * columns + column
                listed[at[tile]] = i
                at[tile] += 1
    return starts, listed


@njit(parallel=True, fastmath=True, cache=True)
def blend(starts, listed, splats, colors, background, columns, rgb, alpha):
    """Front to back in each tile; one row of 16 pixels is the vector."""
    height, width = alpha.shape
    for tile in prange(len(starts) - 1):
        x0, y0 = (tile % columns) * TILE, (tile // columns) * TILE
        n_rows, n_columns = min(TILE, height - y0), min(TILE, width - x0)
        left = np.ones((TILE, TILE), np.float32)  # transmittance
        live = np.ones((TILE, TILE), np.float32)
        red, green = np.zeros((TILE, TILE), np.float32), np.zeros((TILE, TILE), np.float32)
        blue = np.zeros((TILE, TILE), np.float32)
        for n in range(starts[tile], starts[tile + 1]):
            i = listed[n]
            u, v, a, b, c = splats[i, 0], splats[i, 1], splats[i, 2], splats[i, 3], splats[i, 4]
            opacity, reach = splats[i, 5], splats[i, 6]
            r_color, g_color, b_color = colors[i, 0], colors[i, 1], colors[i, 2]
            first = max(0, int32(np.ceil(v - reach - HALF)) - y0)
            last = min(n_rows, int32(np.floor(v + reach - HALF)) + 1 - y0)
            for row in range(first, last):
                dy = float32(y0 + row) + HALF - v
                constant, slope, dx0 = c * dy * dy, b * dy, float32(x0) + HALF - u
                for column in range(TILE):
                    dx = dx0 + float32(column)
                    opaque = min(opacity * exp2((a * dx + slope) * dx + constant), TOP)
                    opaque = opaque if opaque >= LEAST else ZERO
                    before = left[row, column]
                    after = before * (ONE - opaque)
                    keeps = live[row, column] if after > FINISHED else ZERO
                    weight = keeps * (before - after)
                    live[row, column] = keeps
                    left[row, column] = before - weight
                    red[row, column] += weight * r_color
                    green[row, column] += weight * g_color
                    blue[row, column] += weight * b_color
            if (n - starts[tile]) % 32 == 31 and live.max() == ZERO:
                break
        for row in range(n_rows):
            for column in range(n_columns):
                y, x, rest = y0 + row, x0 + column, left[row, column]
                rgb[y, x, 0] = red[row, column] + rest * background[y, x, 0]
                rgb[y, x, 1] = green[row, column] + rest * background[y, x, 1]
                rgb[y, x, 2] = blue[row, column] + rest * background[y, x, 2]
                alpha[y, x] = ONE - rest


def rasterize_numba(gaussians: Gaussians, camera: Camera, background: ndarray) -> tuple[ndarray, ndarray]:
    """Colours `[H, W, 3]` and alpha `[H, W]`; the background is a contiguous float32 array."""
    means, quats, scales, opacities, colors = (
        getattr(gaussians, name).detach().numpy() for name in ("means", "quats", "scales", "opacities", "colors")
    )
    n = len(means)
    columns, rows = -(-camera.width // TILE), -(-camera.height // TILE)
    splats, depths, rects = np.empty((n, 7), np.float32), np.empty(n, np.float32), np.empty((n, 4), np.int32)
    margins = (MARGIN * camera.width / 2, MARGIN * camera.height / 2)
    view = tuple(float32(x) for x in (camera.focal_px, camera.cx, camera.cy, camera.width, camera.height, *margins))
    project(means, quats, scales, opacities, view, splats, depths, rects)
    order, other = np.empty(n, np.int32), np.empty(n, np.int32)
    sort_by_depth(np.maximum(depths, NEAR32), order, other)
    starts, listed = bin_tiles(order, rects, columns, rows)
    rgb = np.empty((camera.height, camera.width, 3), np.float32)
    alpha = np.empty((camera.height, camera.width), np.float32)
    blend(starts, listed, splats, colors, background, columns, rgb, alpha)
    return rgb, alpha


def use_threads(n: int) -> None:
    """Let numba work with `n` threads."""
    numba.set_num_threads(n)

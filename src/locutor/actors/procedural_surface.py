"""The skin of the procedural head: rings of an egg-shaped skull with features as bumps, cut open at mouth and eyes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64, Int
from numpy import ndarray
from scipy.interpolate import PchipInterpolator

MOUTH_Y, MOUTH_HALF = 4.0, 2.55
EYE_X, EYE_Y, EYE_Z, EYE_RADIUS = 3.1, -3.55, -8.05, 1.5
EYE_HALF = 1.5  # half the length of the lid opening
LID_OPEN_UPPER, LID_OPEN_LOWER = 0.54, 0.38
FRONT_RAD = np.radians(98)  # what belongs to the face, by the angle from the front
N_COLUMNS = 121

Number = float | int

# By height: half width, front, back. The chin is at 9, the throat at 11, the shoulders below 15.
PROFILE = np.array([
    (-14.4, 0.2, 0.6, 1.0), (-14.1, 2.4, -1.9, 3.2), (-13.2, 4.6, -4.6, 5.8), (-11.5, 6.1, -7.4, 7.8),
    (-9.0, 7.1, -9.2, 9.2), (-6.0, 7.55, -10.1, 9.6), (-3.0, 7.65, -9.8, 9.2), (0.0, 7.5, -10.0, 8.2),
    (3.0, 7.15, -10.3, 6.6), (5.0, 6.8, -10.5, 5.6), (7.0, 6.0, -10.5, 5.0), (8.4, 5.2, -10.1, 4.7),
    (9.2, 5.0, -8.9, 4.7), (9.8, 5.0, -7.0, 5.0), (10.6, 5.5, -5.0, 5.6), (11.5, 6.5, -4.4, 6.4),
    (12.4, 7.8, -4.1, 7.2), (13.4, 9.6, -3.9, 7.4), (15.0, 12.0, -3.9, 7.6), (20.0, 15.0, -4.6, 8.0),
])  # fmt: skip


@dataclass(frozen=True)
class Skin:
    """The cut grid.

    Attributes:
        vertices: rig units; front vertices (`n_front`) come first.
        triangles: vertex indices, outward.
        uv: per vertex, 0..1: around and down.
        front: which triangles belong to the face.
        mouth: rims of the mouth from the right of the picture's left corner: upper and lower, corners shared.
        eyes: the same of the eye on the left of the image (the person's right) and of the other.
    """

    vertices: Float64[ndarray, "N 3"]
    triangles: Int[ndarray, "M 3"]
    uv: Float64[ndarray, "N 2"]
    front: ndarray
    n_front: int
    mouth: tuple[Int[ndarray, " m"], Int[ndarray, " m"]]
    eyes: tuple[tuple[Int[ndarray, " e"], Int[ndarray, " e"]], ...]


def bump(x: ndarray, y: ndarray, x0: Number, y0: Number, wide: Number, high: Number, power: Number = 2) -> ndarray:
    """A smooth bump of height one."""
    return np.exp(-(np.abs((x - x0) / wide) ** power) - np.abs((y - y0) / high) ** 2)


def _relief(x: Float[ndarray, "*b"], y: Float[ndarray, "*b"]) -> Float[ndarray, "*b"]:
    """How far the features stand out towards the camera."""
    side = np.abs(x)
    nose = np.interp(y, [-6, -4.5, -3, -1.5, 0, 0.7, 1.3, 1.8], [0, 0.55, 1.0, 1.7, 2.6, 2.9, 2.0, 0])
    width = np.interp(y, [-6, -4.5, -3, -1.5, 0, 0.7, 1.9], [1.3, 0.85, 0.8, 0.9, 1.1, 1.25, 1.5])
    out = nose * np.exp(-((x / width) ** 2))
    out += 0.95 * bump(side, y, 1.25, 0.9, 0.55, 0.6)  # wings of the nose
    out += 0.55 * bump(side, y, 2.6, -5.4, 2.6, 0.9) - 1.25 * bump(side, y, 3.2, -3.5, 1.7, 1.3)  # brow, socket
    out += 0.55 * bump(side, y, 4.7, 0.2, 1.9, 1.7)  # cheekbone
    out += 0.55 * bump(x, y, 0, 3.4, 2.15, 0.5, 4) + 0.62 * bump(x, y, 0, 4.65, 1.9, 0.55, 4)  # lips
    out -= 0.38 * bump(x, y, 0, MOUTH_Y, 2.6, 0.17, 4) + 0.14 * bump(x, y, 0, 2.5, 0.3, 0.6)
    out += 0.55 * bump(x, y, 0, 7.6, 2.0, 1.1) - 0.42 * bump(x, y, 0, 5.95, 2.2, 0.5)  # chin and the fold above
    return out - 0.2 * bump(side, y, 3.0, 3.9, 0.5, 0.8)  # corners of the mouth


def _rows() -> Float[ndarray, " R"]:
    """Heights of the rings: one exactly at the eyes and one at the mouth, dense around both."""
    return np.concatenate([
        -14.4 + 0.05 * np.arange(2), np.linspace(-14.1, -6.6, 18, endpoint=False),
        EYE_Y + 0.2 * np.arange(-15, 12), np.linspace(-1.1, 1.6, 14, endpoint=False),
        MOUTH_Y + 0.2 * np.arange(-12, 14), np.linspace(6.8, 11.2, 20, endpoint=False), np.linspace(11.2, 20, 12),
    ])  # fmt: skip


def make_skin() -> Skin:
    """The neutral face: lips closed, eyes open."""
    u = np.linspace(-1, 1, N_COLUMNS)
    angle = np.pi * (0.62 * u + 0.38 * u**3)
    rows = _rows()
    profile = [PchipInterpolator(PROFILE[:, 0], PROFILE[:, k])(rows)[:, None] for k in (1, 2, 3)]
    half, front, back = profile
    middle = 0.5 * np.clip(rows[:, None] / 10, 0, 1)
    c, s = np.cos(angle)[None], np.sin(angle)[None]
    flat = 2 / np.interp(rows, [2, 8, 12], [2.35, 2.0, 2.0])[:, None]
    x = half * np.sign(s) * np.abs(s) ** flat
    z = middle + np.where(c > 0, (front - middle) * np.abs(c) ** flat, (back - middle) * np.abs(c))
    y = np.broadcast_to(rows[:, None], x.shape)
    z = z - np.where(c > 0, _relief(x, y), 0)
    grid = np.stack([x, y, z], -1)
    mouth_row = int(np.argmin(np.abs(rows - MOUTH_Y)))
    eye_row = int(np.argmin(np.abs(rows - EYE_Y)))
    centre = N_COLUMNS // 2
    at_mouth = np.abs(grid[mouth_row, :, 0]) < MOUTH_HALF
    slits = [(mouth_row, np.flatnonzero(at_mouth & (c[0] > 0)))]
    for sign in (-1, 1):
        at_eye = np.abs(grid[eye_row, :, 0] - sign * EYE_X) < EYE_HALF
        slits.append((eye_row, np.flatnonzero(at_eye & (c[0] > 0))))
    return _cut(grid, angle, rows, slits, centre)


def _cut(
    grid: Float[ndarray, "R C 3"],
    angle: Float[ndarray, " C"],
    rows: Float[ndarray, " R"],
    slits: list[tuple[int, ndarray]],
    centre: int,
) -> Skin:
    """Number the vertices, split those on the slits in two, and open the lids."""
    n_rows, n_columns = grid.shape[:2]
    is_front = np.abs(angle) <= FRONT_RAD
    upper = np.full((n_rows, n_columns), -1)
    upper[:, is_front] = np.arange(n_rows * is_front.sum()).reshape(n_rows, -1)
    n = n_rows * int(is_front.sum())
    lower = upper.copy()
    vertices = [grid[:, is_front].reshape(-1, 3)]
    across = (angle / FRONT_RAD / 2 + 0.5)[None] + 0 * rows[:, None]
    down = 0 * angle[None] + np.linspace(0.99, 0.01, n_rows)[:, None]
    uv = [np.stack([across, down], -1)[:, is_front].reshape(-1, 2)]
    rims = []
    for row, columns in slits:
        inner = columns[1:-1]  # the corners stay whole
        lower[row, inner] = n + np.arange(len(inner))
        n += len(inner)
        vertices.append(grid[row, inner])
        uv.append(np.stack([across[row, inner], down[row, inner]], -1))
        rims.append((upper[row, columns], lower[row, columns]))
    n_front = n
    edge = np.flatnonzero(is_front)[[0, -1]]
    upper[:, ~is_front] = n + np.arange(n_rows * (~is_front).sum()).reshape(n_rows, -1)
    lower[:, ~is_front] = upper[:, ~is_front]
    vertices.append(grid[:, ~is_front].reshape(-1, 3))
    turn = np.where(angle < 0, angle + 2 * np.pi, angle)
    behind = (turn - turn[edge[1]]) / (2 * np.pi - 2 * FRONT_RAD) * 0.78 + 0.01
    uv.append(np.stack([behind[None] + 0 * across, down], -1)[:, ~is_front].reshape(-1, 2))
    # Below a slit the triangles hang on the lower rim: the top corners of each cell take `lower`.
    a, b, d, e = lower[:-1, :-1], lower[:-1, 1:], upper[1:, :-1], upper[1:, 1:]
    triangles = np.concatenate([np.stack([a, d, b], -1).reshape(-1, 3), np.stack([b, d, e], -1).reshape(-1, 3)])
    cell_front = np.broadcast_to((is_front[:-1] & is_front[1:])[None], a.shape).reshape(-1)
    placed = np.concatenate(vertices)
    lowered = np.isin(np.arange(len(placed)), np.concatenate([low[1:-1] for _, low in rims]))
    placed[:n_front] = _open_lids(placed[:n_front], lowered[:n_front])
    return Skin(placed, triangles, np.concatenate(uv), np.tile(cell_front, 2), n_front, rims[0], (rims[1], rims[2]))


def lid_profile(x: Float[ndarray, "*b"]) -> Float[ndarray, "*b"]:
    """0 at the corners of the eye to 1 in its middle."""
    t = (np.abs(x) - EYE_X) / EYE_HALF
    return np.clip(1 - t**2, 0, 1) ** 0.75


def on_lid(x: ndarray, y: ndarray, z: ndarray, gap: float = 0.1) -> ndarray:
    """Depth of a lid at (x, y): on a sphere just outside the eyeball where that stands out further than `z`."""
    radius = EYE_RADIUS + gap
    inside = radius**2 - (np.abs(x) - EYE_X) ** 2 - (y - EYE_Y) ** 2
    ball = EYE_Z - np.sqrt(np.clip(inside, 0, None))
    soft = 0.12
    joined = -soft * np.logaddexp(-z / soft, -ball / soft)
    return np.where(inside > 0, joined, z)


def _open_lids(vertices: Float[ndarray, "n 3"], lowered: ndarray) -> Float[ndarray, "n 3"]:
    """Rims apart by the opening of the eye; the skin around follows, less and less."""
    x, y, z = vertices.T.copy()
    away = y - EYE_Y
    below = (away > 1e-6) | (lowered & (np.abs(away) < 1e-6))
    near = lid_profile(x) * np.exp(-np.abs(away) / 1.1) * (z < -4)
    y = y + np.where(below, LID_OPEN_LOWER, -LID_OPEN_UPPER) * near
    eye = (np.abs(y - EYE_Y) < 2.2) & (z < -4)
    return np.stack([x, y, np.where(eye, on_lid(x, y, z), z)], 1)

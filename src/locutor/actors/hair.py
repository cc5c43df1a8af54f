"""Hair as ribbons: a combed head of hair over a dark cap, brows and lashes that move with the skin."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float32, Int
from numpy import ndarray
from scipy.spatial import cKDTree

from locutor.actors.body import Material, Patch, Surface
from locutor.actors.look import Look
from locutor.actors.noise import space_noise
from locutor.actors.rig import Rig
from locutor.actors.skin import scalp_height
from locutor.actors.textures import linear_from_srgb, texel_corners

HAIR_PX = 128


def hair_page(colour: tuple[float, float, float], seed: int) -> Float32[ndarray, "S S 4"]:
    """Streaks along v; u picks a strand's tint, from dark to light."""
    v, u = np.mgrid[0:HAIR_PX, 0:HAIR_PX].astype(np.float32) / HAIR_PX
    streak = space_noise(np.stack([u * 60, v * 1.2, 0 * u], -1), 1.0, seed)
    light = (0.45 + 1.1 * u) * (1 + 0.10 * streak) * (0.85 + 0.3 * v)
    base = linear_from_srgb(colour) * light[..., None].clip(0.15, 3)
    warm = base * (1 + 0.25 * (u - 0.5)[..., None] * np.array([1, 0.1, -0.6]))
    return np.concatenate([warm, (0.6 + 0.8 * u)[..., None]], -1).astype(np.float32)


@dataclass(frozen=True)
class Cut:
    """How hair is cut.

    Attributes:
        length, volume: factors on a short man's cut.
        frizz: how far the strands go their own ways.
        n_strands: how many ribbons.
    """

    length: float
    volume: float
    frizz: float
    n_strands: int


CUTS = {
    "short": Cut(1.0, 1.0, 0.08, 3800),
    "crop": Cut(0.30, 0.38, 0.10, 4200),
    "curls": Cut(0.75, 1.9, 0.9, 4200),
    "beanie": Cut(0.55, 0.6, 0.1, 2600),
}


def head_of_hair(
    rig: Rig, neutral: Float[ndarray, "V 3"], normals: Float[ndarray, "V 3"], page_x: int, look: Look, seed: int
) -> list[Surface]:
    """The cap and the ribbons that lie over it; nothing for a bald head. Long hair is in `long_hair`.

    Args:
        rig, neutral, normals: the person's head.
        page_x: column of the hair page in the atlas.
        look: style and parting.
        seed: of the single strands.
    """
    cut = CUTS.get(look.hair_style)
    if cut is None:
        return []
    rng = np.random.default_rng(seed)
    skin = np.concatenate([np.arange(part.start, part.stop) for part in (rig.parts.face, rig.parts.head_and_neck)])
    surface_at = nearest_surface(neutral[skin], normals[skin])
    roots = scalp_roots(rig, neutral, cut.n_strands, rng)
    if look.hair_style == "beanie":
        roots = roots[roots[:, 1] > -9.5]  # what shows below the rim
    return [hair_cap(rig, neutral, normals, page_x), _ribbons(roots, surface_at, page_x, cut, look.parting, rng, seed)]


def nearest_surface(
    vertices: Float[ndarray, "n 3"], normals: Float[ndarray, "n 3"]
) -> Callable[[ndarray], tuple[ndarray, ndarray]]:
    """A function that gives the smoothed place and normal of the surface nearest to each point."""
    tree = cKDTree(vertices)

    def surface_at(p: ndarray) -> tuple[ndarray, ndarray]:
        _, near = tree.query(p, k=12)
        return vertices[near].mean(1), unit(normals[near].mean(1))

    return surface_at


def unit(v: ndarray) -> ndarray:
    """Vectors of length one."""
    return v / (np.linalg.norm(v, axis=-1, keepdims=True) + 1e-9)


def hair_cap(rig: Rig, neutral: ndarray, normals: ndarray, page_x: int) -> Surface:
    """A dark skin that follows the scalp, so that none shines through."""
    height = scalp_height(neutral)
    allowed = np.zeros(len(neutral), bool)
    allowed[rig.parts.face], allowed[rig.parts.head_and_neck] = True, True
    triangles = rig.triangles[(allowed & (height > 0.2))[rig.triangles].all(1)]
    used, local = np.unique(triangles, return_inverse=True)
    jag = 0.2 * space_noise(neutral[used] * [1, 0.4, 1], 0.7, 5)
    lift = 0.30 * np.clip((height[used] + jag - 0.9) / 1.6, -0.5, 1)
    vertices = (neutral[used] + lift[:, None] * normals[used]).astype(np.float32)
    uv = np.stack([0.1 + 0.1 * np.abs(np.sin(9 * vertices[:, 0])), 0.3 + 0 * vertices[:, 0]], -1)
    local = local.reshape(-1, 3)
    corner = texel_corners(uv[local].astype(np.float32), page_x, HAIR_PX)
    return Surface(vertices, normals[used], Patch(local, corner, Material.HAIR))


def scalp_roots(rig: Rig, neutral: ndarray, n: int, rng: np.random.Generator) -> Float32[ndarray, "n 3"]:
    """Random places of the scalp, uniform over its area."""
    allowed = np.zeros(len(neutral), bool)
    allowed[rig.parts.face], allowed[rig.parts.head_and_neck] = True, True
    corners = neutral[rig.triangles[allowed[rig.triangles].all(1)]]
    places = scattered(corners, np.ones(len(corners), np.float32), 4 * n, rng)
    height = scalp_height(places)
    return places[height > 1.1 * rng.random(len(places)) ** 2][:n].astype(np.float32)


def scattered(
    corners: Float[ndarray, "M 3 3"], density: Float[ndarray, " M"], n: int, rng: np.random.Generator
) -> Float[ndarray, "n 3"]:
    """Random places on triangles, as many per area as each one's density says."""
    area = density * np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    pick = rng.choice(len(corners), n, p=area / area.sum())
    a, b = rng.random((2, n, 1))
    a, b = np.where(a + b > 1, 1 - a, a), np.where(a + b > 1, 1 - b, b)
    return corners[pick, 0] * (1 - a - b) + corners[pick, 1] * a + corners[pick, 2] * b


PART_FRONT, PART_BACK = np.array([-3.6, -13.0, -6.5]), np.array([-1.0, -14.5, 4.0])


def comb(place: ndarray, normal: ndarray, parting: float, frizz: float, seed: int) -> ndarray:
    """Direction in which hair lies: away from a parting, backwards on top, down at the sides."""
    mirror = np.array([-parting, 1, 1])
    front, back = PART_FRONT * mirror, PART_BACK * mirror
    along = back - front
    t = np.clip((place - front) @ along / (along @ along), 0, 1)[:, None]
    away = unit(place - (front + t * along))
    top = np.clip((-place[:, 1:2] - 8.0) / 5.0, 0, 1)
    away[:, 2] = np.maximum(away[:, 2], 0.0)  # nothing falls into the face
    direction = away * [1.1, 0.6, 0.25] + (1 - top) * np.array([0, 1.0, 0.55]) + top * np.array([0.0, -0.2, 0.75])
    direction += frizz * np.stack([space_noise(place, 1.6, seed + k) for k in (1, 2, 3)], -1)
    direction -= (direction * normal).sum(-1, keepdims=True) * normal
    return unit(direction)


def _ribbons(
    roots: ndarray,
    surface_at: Callable[[ndarray], tuple[ndarray, ndarray]],
    page_x: int,
    cut: Cut,
    parting: float,
    rng: np.random.Generator,
    seed: int,
    n_segments: int = 7,
) -> Surface:
    n = len(roots)
    height = scalp_height(roots)
    top = np.clip((-roots[:, 1] - 6.0) / 6.0, 0, 1)
    length = cut.length * (1.3 + 3.4 * top) * rng.uniform(0.75, 1.2, n) * np.clip(0.45 + height / 3.0, 0.45, 1)
    volume = cut.volume * (0.45 + 0.95 * top) * np.clip(0.35 + height / 2.5, 0.35, 1) * rng.uniform(0.55, 1.1, n)
    width = rng.uniform(0.16, 0.34, n)
    tint = np.clip(0.5 + 0.22 * rng.standard_normal(n) + 0.05 * space_noise(roots, 1.0, seed + 9), 0.05, 0.95)
    tilt, roll = rng.normal(0, 0.22, (n, 1)), rng.normal(0, 0.45, (n, 1))
    p, rows, all_normals = roots.astype(np.float64), [], []
    astray = np.zeros(n, bool)
    for k in range(n_segments + 1):
        t = k / n_segments
        on, normal = surface_at(p)
        lift = volume * (0.12 + 0.88 * np.sin(np.pi * min(0.62 * t + 0.12, 0.9)))
        centre = p - ((p - on) * normal).sum(-1, keepdims=True) * normal + lift[:, None] * normal
        direction = comb(p, normal, parting, cut.frizz, seed)
        across = unit(np.cross(direction, normal) + roll * normal)
        half = (width * (0.55 + 0.45 * np.sin(np.pi * min(t + 0.25, 1.0))) * (1 - t**4) / 2)[:, None]
        rows += [centre - half * across, centre + half * across]
        bend = unit(normal + tilt * across + 0.25 * (t - 0.4) * direction)
        all_normals += [unit(bend - 0.35 * across), unit(bend + 0.35 * across)]
        astray |= in_the_face(p)
        p = p + direction * (length / n_segments)[:, None]
    return ribbon_surface([r[~astray] for r in rows], [r[~astray] for r in all_normals], tint[~astray], page_x)


def in_the_face(place: Float[ndarray, "n 3"]) -> Bool[ndarray, " n"]:
    """Which places lie on the forehead or the face, where no combed hair goes."""
    angle = np.abs(np.arctan2(place[:, 0], 0.6 - place[:, 2]))
    return (scalp_height(place) < -0.3) & (angle < np.radians(62)) & (place[:, 1] < 1)


def ribbon_surface(rows: list[ndarray], row_normals: list[ndarray], tint: Float[ndarray, " n"], page_x: int) -> Surface:
    """Ribbons from the left and right edges of their segments, [n, 3] each, from root to tip."""
    n, n_segments = len(tint), len(rows) // 2 - 1
    vertices = np.stack(rows, 1).reshape(-1, 3).astype(np.float32)
    triangles = ribbon_triangles(n, n_segments)
    per_ribbon = 2 * (n_segments + 1)
    u = np.repeat(tint, per_ribbon) + 0.012 * np.tile([-1, 1], n * (n_segments + 1))
    v = np.tile(np.repeat(np.linspace(0, 1, n_segments + 1), 2), n)
    uv = np.stack([u, v], -1)
    corner = texel_corners(uv[triangles].astype(np.float32), page_x, HAIR_PX)
    normals = np.stack(row_normals, 1).reshape(-1, 3).astype(np.float32)
    return Surface(vertices, normals, Patch(triangles, corner, Material.HAIR))


def ribbon_triangles(n: int, n_segments: int) -> Int[ndarray, "t 3"]:
    """Triangles of `n` ribbons whose vertices run left, right, left, right ... from root to tip."""
    first = 2 * np.arange(n_segments)[:, None]
    strip = np.stack([first + [0, 1, 2], first + [1, 3, 2]], 1).reshape(-1, 3)
    return (np.arange(n)[:, None, None] * 2 * (n_segments + 1) + strip).reshape(-1, 3)

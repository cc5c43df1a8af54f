"""Short hairs that move with the skin: brows and lashes."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from jaxtyping import Float, Float32, Int
from numpy import ndarray
from scipy.sparse import coo_array, csr_array
from scipy.spatial import cKDTree

from locutor.actors.body import Material, Patch, Surface
from locutor.actors.hair import ribbon_triangles
from locutor.actors.rig import LANDMARK_BROW_LEFT, LANDMARK_BROW_RIGHT, Rig
from locutor.actors.skin import lid_edge
from locutor.actors.textures import texel_corners

N_BROW_HAIRS = 300  # per brow
N_SEGMENTS = 3


def brows(
    rig: Rig, neutral: Float[ndarray, "V 3"], normals: Float[ndarray, "V 3"], page: tuple[int, int], seed: int
) -> Surface:
    """Both brows.

    Args:
        rig, neutral, normals: the person's face.
        page: column and size of the hair page in the atlas.
        seed: of the single hairs.
    """
    rng = np.random.default_rng([seed, 2])
    roots, directions = [], []
    for rows, out in ((LANDMARK_BROW_RIGHT[::-1], -1.0), (LANDMARK_BROW_LEFT, 1.0)):
        line = neutral[rig.landmarks[list(rows)]]  # from the nose outwards
        t = rng.beta(1.05, 1.25, N_BROW_HAIRS)
        at = np.stack([np.interp(t * 4, np.arange(5), line[:, k]) for k in range(3)], 1)
        thick = 0.30 * np.clip(1.15 - 0.85 * t, 0.25, 1) * np.clip(0.45 + 4 * t, 0, 1)
        at[:, 1] += thick * rng.uniform(-1, 1, N_BROW_HAIRS) + 0.15
        roots.append(at)
        rise = 1.0 - 1.25 * t + rng.normal(0, 0.12, N_BROW_HAIRS)
        directions.append(np.stack([out * (0.35 + 0.7 * t), -rise, 0.35 * t], 1))
    at, direction = np.concatenate(roots), np.concatenate(directions)
    length = rng.uniform(0.45, 0.95, (len(at), 1))
    return skin_hairs(rig, neutral, normals, at, direction, length, 0.042, page, rng)


def skin_hairs(
    rig: Rig,
    neutral: Float[ndarray, "V 3"],
    normals: Float[ndarray, "V 3"],
    at: Float[ndarray, "n 3"],
    direction: Float[ndarray, "n 3"],
    length: Float[ndarray, "n 1"],
    half_width: float,
    page: tuple[int, int],
    rng: np.random.Generator,
) -> Surface:
    """Single hairs that grow out of the face and move with it.

    Args:
        rig, neutral, normals: the person's face.
        at: roots, near the skin.
        direction: where they lie; made tangential to the skin.
        length: of each, rig units.
        half_width: at the root, rig units.
        page: column and size of the hair page in the atlas.
        rng: of width and tint.
    """
    distance, near = cKDTree(neutral[rig.parts.face]).query(at, k=3)
    near = near + rig.parts.face.start
    weights = 1 / (distance + 1e-3)
    weights /= weights.sum(1, keepdims=True)
    normal = (weights[..., None] * normals[near]).sum(1)
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    on_skin = at - ((at - neutral[near[:, 0]]) * normal).sum(1, keepdims=True) * normal
    direction = direction - (direction * normal).sum(1, keepdims=True) * normal
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    n, across = len(at), np.cross(direction, normal)
    sides = []
    for part in np.linspace(0, 1, N_SEGMENTS + 1):
        lift = 0.02 + 0.19 * length * np.sin(np.pi * 0.8 * part)
        centre = on_skin + direction * length * part + normal * lift
        half = half_width * (1 - 0.85 * part) * rng.uniform(0.7, 1.3, (n, 1))
        sides += [centre - half * across, centre + half * across]
    vertices = np.stack(sides, 1).reshape(-1, 3).astype(np.float32)
    per_hair = 2 * (N_SEGMENTS + 1)
    triangles = ribbon_triangles(n, N_SEGMENTS)
    follow = _follow(np.repeat(weights, per_hair, 0), np.repeat(near, per_hair, 0), len(neutral))
    corner = _plain_corners(triangles, np.repeat(rng.uniform(0.35, 0.95, n), per_hair), page)
    repeated = np.repeat(normal, per_hair, 0).astype(np.float32)
    return Surface(vertices, repeated, Patch(triangles, corner, Material.HAIR), follow=follow)


def _follow(weights: Float[ndarray, "n 3"], rig_vertices: Int[ndarray, "n 3"], n_rig: int) -> csr_array:
    """Sparse [n, n_rig] with three weights in each row."""
    rows = np.repeat(np.arange(len(weights)), 3)
    entries = (weights.reshape(-1).astype(np.float32), (rows, rig_vertices.reshape(-1)))
    return csr_array(coo_array(entries, shape=(len(weights), n_rig)))


def lashes(rig: Rig, neutral: Float[ndarray, "V 3"], page: tuple[int, int], seed: int) -> Surface:
    """Thin triangles on the rig's lash cards, from the lid to the tip; they follow the cards."""
    rng = np.random.default_rng([seed, 3])
    lid = cKDTree(neutral[lid_edge(rig)])
    pick = rig.of_material("M_EyeLashes")
    uv = np.zeros((len(neutral), 2), np.float32)
    uv[rig.triangles[pick].reshape(-1)] = rig.uv[rig.triangles_uv[pick]].reshape(-1, 2)
    rows: list[tuple[int, int, float]] = []  # new vertex, rig vertex, weight
    n = 0
    cards = [(card, True) for card in rig.parts.lashes_upper] + [(card, False) for card in rig.parts.lashes_lower]
    for card, upper in cards:
        vertices = np.arange(card.start, card.stop)
        columns = _columns(vertices, uv, lid.query(neutral[vertices])[0])
        for left, right in pairwise(columns):
            if rng.random() > (0.85 if upper else 0.35):
                continue
            a, width = rng.uniform(0, 0.7), rng.uniform(0.16, 0.30) if upper else 0.13
            reach = rng.uniform(0.45, 0.75)
            rows += [(n, left[0], 1 - a), (n, right[0], a)]
            rows += [(n + 1, left[0], 1 - a - width), (n + 1, right[0], a + width)]
            rows += [(n + 2, left[0], (1 - a) * (1 - reach)), (n + 2, right[0], a * (1 - reach))]
            rows += [(n + 2, left[-1], (1 - a) * reach), (n + 2, right[-1], a * reach)]
            n += 3
    new, old, weight = (np.array(column) for column in zip(*rows, strict=True))
    follow = csr_array(coo_array((weight.astype(np.float32), (new, old)), shape=(n, len(neutral))))
    triangles = np.arange(n).reshape(-1, 3)
    corner = _plain_corners(triangles, np.full(n, 0.08), page)
    normals = np.tile(np.array([0, -0.5, -0.87], np.float32), (n, 1))
    patch = Patch(triangles, corner, Material.HAIR)
    return Surface((follow @ neutral).astype(np.float32), normals, patch, follow=follow)


def _columns(vertices: Int[ndarray, " n"], uv: Float[ndarray, "V 2"], to_lid: Float[ndarray, " n"]) -> list[ndarray]:
    """Vertices of a card grouped by u, in order of u, each from the lid outwards."""
    keys = np.round(uv[vertices, 0], 3)
    return [
        vertices[keys == key][np.argsort(to_lid[keys == key])] for key in np.unique(keys) if (keys == key).sum() > 1
    ]


def _plain_corners(
    triangles: Int[ndarray, "m 3"], tint: Float[ndarray, " n"], page: tuple[int, int]
) -> Float32[ndarray, "m 3 2"]:
    uv = np.stack([tint, np.full(len(tint), 0.5)], 1).astype(np.float32)
    return texel_corners(uv[triangles], *page)

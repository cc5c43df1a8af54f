"""Hair that falls over the shoulders: its upper part moves with the head, its ends lie on the torso."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Float32
from numpy import ndarray

from locutor.actors.body import Surface
from locutor.actors.hair import comb, hair_cap, in_the_face, nearest_surface, ribbon_surface, scalp_roots, unit
from locutor.actors.look import Look
from locutor.actors.noise import space_noise
from locutor.actors.rig import Rig
from locutor.actors.skin import scalp_height

N_STRANDS, N_SEGMENTS = 3000, 13
FREE_BELOW = -6.0  # height in the head frame where hair leaves the skull and hangs
BESIDE_THE_FACE = 7.3  # half the width that stays free of hair


def long_hair(
    rig: Rig,
    neutral: Float[ndarray, "V 3"],
    normals: Float[ndarray, "V 3"],
    clothes: Surface,
    page_x: int,
    look: Look,
    seed: int,
) -> list[Surface]:
    """The cap and the strands.

    Args:
        rig, neutral, normals: the person's head.
        clothes: what the ends lie on.
        page_x: column of the hair page in the atlas.
        look: gives the parting.
        seed: of the single strands.
    """
    rng = np.random.default_rng(seed)
    skin = np.concatenate([np.arange(part.start, part.stop) for part in (rig.parts.face, rig.parts.head_and_neck)])
    surface_at = nearest_surface(
        np.concatenate([neutral[skin], clothes.vertices]), np.concatenate([normals[skin], clothes.normals])
    )
    roots = scalp_roots(rig, neutral, N_STRANDS, rng)
    n, height = len(roots), scalp_height(roots)
    top = np.clip((-roots[:, 1] - 4.0) / 8.0, 0, 1)
    length = (15.0 + 11.0 * top) * rng.uniform(0.8, 1.12, n) * rng.uniform(0.85, 1.15)
    layer = (0.35 + 1.0 * top * rng.uniform(0.3, 1.0, n)) * np.clip(0.3 + height / 2.5, 0.3, 1)
    width = rng.uniform(0.22, 0.46, n)
    wave = 0.35 * rng.uniform(0, 1)
    tint = np.clip(0.5 + 0.2 * rng.standard_normal(n) + 0.06 * space_noise(roots, 1.0, seed + 9), 0.05, 0.95)
    tilt, roll = rng.normal(0, 0.2, (n, 1)), rng.normal(0, 0.25, (n, 1))
    p, rows, row_normals, astray = roots.astype(np.float64), [], [], np.zeros(n, bool)
    step = (length / N_SEGMENTS)[:, None]
    for k in range(N_SEGMENTS + 1):
        t = k / N_SEGMENTS
        on, normal = surface_at(p)
        hanging = np.clip((p[:, 1:2] - FREE_BELOW + 3.0) / 5.0, 0, 1)
        depth = ((p - on) * normal).sum(-1, keepdims=True)
        lift = layer[:, None] * min(1.0, 0.15 + 2.2 * t)
        # On the skull the strand lies at its layer; where it hangs it is only kept out of the body.
        p = p + np.where(depth < lift, lift - depth, (1 - hanging) * (lift - depth)) * normal
        p = _beside_the_face(p, hanging)
        direction = (1 - hanging) * comb(p, normal, look.parting, 0.06, seed) + hanging * np.array([0, 1.0, 0.04])
        direction += wave * hanging * np.stack([space_noise(p * [0.6, 1, 0.6], 2.4, seed + j) for j in (1, 2, 3)], -1)
        # Where hair meets the shoulders it does not slide on at full length: it piles up.
        into = np.minimum((direction * normal).sum(-1, keepdims=True), 0)
        direction = unit(direction) - np.where(depth < lift + 0.3, into, 0) * normal
        facing = unit(np.where(hanging > 0.5, unit(p * [1, 0, 1] - [0, 0, 1.5]), normal))
        across = unit(np.cross(unit(direction), facing) + roll * facing)
        half = (width * (0.6 + 0.4 * np.sin(np.pi * min(t + 0.3, 1.0))) * (1 - 0.9 * t**6) / 2)[:, None]
        rows += [p - half * across, p + half * across]
        bend = unit(facing + tilt * across)
        row_normals += [unit(bend - 0.35 * across), unit(bend + 0.35 * across)]
        astray |= in_the_face(p)
        p = p + direction * step
    strands = ribbon_surface([r[~astray] for r in rows], [r[~astray] for r in row_normals], tint[~astray], page_x)
    shared = Surface(strands.vertices, strands.normals, strands.patch, head_share=_share(strands.vertices))
    return [hair_cap(rig, neutral, normals, page_x), shared]


def _beside_the_face(p: Float[ndarray, "n 3"], hanging: Float[ndarray, "n 1"]) -> Float[ndarray, "n 3"]:
    """Strands that would hang in front of the face or the throat move to its side, and not further forward."""
    side = np.where(p[:, :1] >= 0, 1.0, -1.0)
    front = np.clip((-p[:, 2:] - 0.5) / 2.0, 0, 1) * hanging
    x = side * np.maximum(np.abs(p[:, :1]), front * BESIDE_THE_FACE + (1 - front) * np.abs(p[:, :1]))
    z = np.where(hanging > 0.3, np.maximum(p[:, 2:], -6.5), p[:, 2:])
    return np.concatenate([x, p[:, 1:2], z], 1)


def _share(vertices: Float32[ndarray, "n 3"]) -> Float32[ndarray, " n"]:
    """1 beside the head, a quarter where the ends lie on the shoulders."""
    t = np.clip((vertices[:, 1] - 1.0) / 13.0, 0, 1)
    return (1 - 0.75 * t * t * (3 - 2 * t)).astype(np.float32)

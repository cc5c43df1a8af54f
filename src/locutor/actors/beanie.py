"""A knitted cap over the scalp."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from locutor.actors.body import Material, Patch, Surface
from locutor.actors.clothes import CLOTH_PX
from locutor.actors.rig import Rig
from locutor.actors.textures import texel_corners

N_AROUND, N_UP = 96, 26
RIM_FRONT, RIM_BACK = -9.0, -1.5  # heights in the head frame


def beanie(rig: Rig, neutral: Float[ndarray, "V 3"], page_x: int) -> Surface:
    """The cap, with the cloth of the page that begins at column `page_x` of the atlas."""
    skull = neutral[np.r_[rig.parts.face, rig.parts.head_and_neck]]
    skull = skull[(skull[:, 1] < -5) & (np.abs(skull[:, 0]) < 8.2)]
    crown = skull[:, 1].min() - 1.3
    middle_z = (skull[:, 2].min() + skull[:, 2].max()) / 2
    half_x, half_z = np.abs(skull[:, 0]).max() + 0.75, np.ptp(skull[:, 2]) / 2 + 0.75
    turn = np.linspace(-np.pi, np.pi, N_AROUND + 1)[None, :]
    up = np.linspace(0, 1, N_UP)[:, None]
    rim = RIM_BACK + (RIM_FRONT - RIM_BACK) * (0.5 + 0.5 * np.cos(turn)) ** 1.2
    ring = np.cos(np.pi / 2 * np.clip(up, 0, 1) ** 1.5) ** 0.7
    rolled = 0.45 * np.exp(-(((up - 0.14) / 0.13) ** 4)) - 0.5 * np.exp(-((up / 0.04) ** 2))
    x = (half_x * ring + rolled) * np.sin(turn)
    z = middle_z - (half_z * ring + rolled) * np.cos(turn)
    y = rim + (crown - rim) * np.sin(np.pi / 2 * up)
    points = np.stack([x, y, z], -1)
    tangent_u, tangent_v = np.gradient(points, axis=1), np.gradient(points, axis=0)
    normals = np.cross(tangent_u, tangent_v)
    normals[-1] = [0, -1, 0]
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True) + 1e-9
    normals *= np.sign((normals * (points - [0, -6, middle_z])).sum(-1, keepdims=True))
    index = np.arange(N_UP * (N_AROUND + 1)).reshape(N_UP, -1)
    a, b, d, e = index[:-1, :-1], index[:-1, 1:], index[1:, :-1], index[1:, 1:]
    triangles = np.concatenate([np.stack([a, b, d], -1).reshape(-1, 3), np.stack([b, e, d], -1).reshape(-1, 3)])
    uv = np.stack(np.broadcast_arrays(turn / (2 * np.pi) + 0.5, 0.1 + 0.8 * up), -1).reshape(-1, 2)
    corner = texel_corners(uv[triangles].astype(np.float32), page_x, CLOTH_PX)
    return Surface(
        points.reshape(-1, 3).astype(np.float32),
        normals.reshape(-1, 3).astype(np.float32),
        Patch(triangles, corner, Material.CLOTH),
    )

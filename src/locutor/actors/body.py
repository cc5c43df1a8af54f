"""The pieces an actor is put together from, and the pages of eyes, teeth and gums."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from jaxtyping import Float, Float32, Int
from numpy import ndarray
from scipy.sparse import csr_array
from scipy.special import expit

from locutor.actors.noise import space_noise
from locutor.actors.rig import EYEBALL_LEFT, EYEBALL_RIGHT, TEETH, Rig
from locutor.actors.skin import BACK_PX, FACE_PX, Complexion, paint_back, paint_face
from locutor.actors.textures import Atlas, linear_from_srgb, places, texel_corners

EYE_PX, TEETH_PX, GUMS_PX = 256, 512, 256


class Material(IntEnum):
    """How a surface answers to light; see `lighting.GLOSS`."""

    SKIN = 0
    EYE = 1
    TOOTH = 2
    FLESH = 3
    HAIR = 4
    CLOTH = 5


@dataclass(frozen=True)
class Surface:
    """Triangles with their texture.

    Attributes:
        vertices: places in the neutral head, rig units. Empty for the surfaces of the rig itself.
        triangles: into `vertices`, or into the rig's vertices when there are none.
        corner_texel: atlas pixel of each corner.
        material: of all triangles.
        follow: for vertices that move with the skin, the rig vertices each one follows (rows sum to one), else None.
        inside: whether it lies in the mouth (its shade is computed with the jaw open).
    """

    vertices: Float32[ndarray, "n 3"]
    triangles: Int[ndarray, "m 3"]
    corner_texel: Float32[ndarray, "m 3 2"]
    material: Material
    follow: csr_array | None = None
    inside: bool = False


def _rig_surface(rig: Rig, name: str, tile: int, x: int, size: int, material: Material, inside: bool) -> Surface:
    pick = rig.triangle_material == rig.material_names.index(name)
    uv = rig.uv[rig.triangles_uv[pick]] - np.array([tile, 0], np.float32)
    return Surface(
        np.zeros((0, 3), np.float32), rig.triangles[pick], texel_corners(uv, x, size), material, inside=inside
    )


def rig_surfaces(
    rig: Rig, neutral: Float[ndarray, "V 3"], complexion: Complexion, atlas: Atlas, seed: int
) -> list[Surface]:
    """Skin, eyeballs, teeth, gums and tongue. The rig's iris, tear and lash cards are left out."""
    face, back = (
        atlas.add(paint_face(rig, neutral, complexion, seed)),
        atlas.add(paint_back(rig, neutral, complexion, seed)),
    )
    teeth, gums = atlas.add(_teeth_page(rig, neutral, seed)), atlas.add(_gums_page(rig, neutral, seed))
    surfaces = [
        _rig_surface(rig, "M_Face", 0, face, FACE_PX, Material.SKIN, False),
        _rig_surface(rig, "M_BackHead", 1, back, BACK_PX, Material.SKIN, False),
        _rig_surface(rig, "M_Teeth", 3, teeth, TEETH_PX, Material.TOOTH, True),
        _rig_surface(rig, "M_GumsTongue", 2, gums, GUMS_PX, Material.FLESH, True),
    ]
    for name, part in (("M_ScleraLeft", EYEBALL_LEFT), ("M_ScleraRight", EYEBALL_RIGHT)):
        x = atlas.add(_eye_page(rig, neutral, name, part, complexion, seed))
        surfaces.append(_rig_surface(rig, name, 0, x, EYE_PX, Material.EYE, False))
    return surfaces


def _teeth_page(rig: Rig, neutral: Float[ndarray, "V 3"], seed: int) -> Float32[ndarray, "S S 4"]:
    pick = rig.triangle_material == rig.material_names.index("M_Teeth")
    uv = rig.uv[rig.triangles_uv[pick]] - [3, 0]
    where, _ = places(neutral[rig.triangles[pick]], uv, TEETH_PX)
    middle = neutral[TEETH][:, 1].mean()
    root = np.clip(np.abs(where[..., 1] - middle) / 2.2, 0, 1)[..., None]
    tint = 1 + 0.03 * space_noise(where, 0.5, seed + 20)[..., None]
    colour = (linear_from_srgb((0.90, 0.87, 0.80)) * (1 - root) + linear_from_srgb((0.80, 0.70, 0.58)) * root) * tint
    return np.concatenate([colour, np.ones((TEETH_PX, TEETH_PX, 1))], -1).astype(np.float32)


def _gums_page(rig: Rig, neutral: Float[ndarray, "V 3"], seed: int) -> Float32[ndarray, "S S 4"]:
    pick = rig.triangle_material == rig.material_names.index("M_GumsTongue")
    uv = rig.uv[rig.triangles_uv[pick]] - [2, 0]
    where, _ = places(neutral[rig.triangles[pick]], uv, GUMS_PX)
    light = 1 + 0.12 * space_noise(where, 0.3, seed + 21) + 0.08 * space_noise(where, 1.0, seed + 22)
    colour = linear_from_srgb((0.72, 0.40, 0.40)) * light[..., None]
    return np.concatenate([colour, 0.6 * np.ones((GUMS_PX, GUMS_PX, 1))], -1).astype(np.float32)


def _eye_page(
    rig: Rig, neutral: Float[ndarray, "V 3"], name: str, part: slice, complexion: Complexion, seed: int
) -> Float32[ndarray, "S S 4"]:
    pick = rig.triangle_material == rig.material_names.index(name)
    ball = neutral[part]
    centre = (ball.min(0) + ball.max(0)) / 2
    uv = rig.uv[rig.triangles_uv[pick]]
    where, _ = places(neutral[rig.triangles[pick]] - centre, uv, EYE_PX)
    d = where / np.linalg.norm(where, axis=-1, keepdims=True)
    angle = np.degrees(np.arccos(np.clip(-d[..., 2], -1, 1)))  # from the optical axis, which looks at the camera
    turn = np.stack([np.cos(np.arctan2(d[..., 1], d[..., 0])), np.sin(np.arctan2(d[..., 1], d[..., 0]))], -1)
    spokes = 0.5 * space_noise(np.concatenate([turn * 3.0, angle[..., None] * 0.02], -1), 0.35, seed + 30)
    vessel = np.clip(space_noise(d * [1.0, 2.5, 1.0], 0.12, seed + 31) - 1.6, 0, 1)

    def step(edge: float, width: float) -> ndarray:
        return expit((edge - angle) / width)[..., None]

    white = linear_from_srgb((0.90, 0.875, 0.86)) * (
        1 - np.clip((angle - 30) / 60, 0, 0.5)[..., None] * [0.2, 0.5, 0.5]
    )
    white = white * (1 - vessel[..., None] * [0.05, 0.35, 0.35])
    iris = linear_from_srgb(complexion.iris) * (1 + 0.3 * spokes[..., None]).clip(0.4, 2)
    iris = iris * (1 + 0.9 * step(15.0, 1.5))  # lighter around the pupil
    iris = iris * (1 - 0.75 * (1 - step(21.0, 1.0)))  # the dark ring at the edge
    colour = white * (1 - step(24.0, 0.8)) + iris * step(24.0, 0.8)
    colour = colour * (1 - step(9.5, 0.6)) + 0.004 * step(9.5, 0.6)
    return np.concatenate([colour, np.ones((EYE_PX, EYE_PX, 1))], -1).astype(np.float32)

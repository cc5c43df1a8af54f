"""The pieces an actor is put together from, and the pages of eyes, teeth and gums."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from jaxtyping import Float, Float32, Int
from numpy import ndarray
from scipy.sparse import csr_array
from scipy.special import expit

from locutor.actors.look import Complexion
from locutor.actors.noise import space_noise
from locutor.actors.rig import Rig
from locutor.actors.skin import paint_back, paint_face
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
    PLASTIC = 6


@dataclass(frozen=True)
class Patch:
    """Textured triangles on the vertices of the rig.

    Attributes:
        triangles: vertex indices.
        corner_texel: atlas pixel of each corner.
        material: of all triangles.
    """

    triangles: Int[ndarray, "m 3"]
    corner_texel: Float32[ndarray, "m 3 2"]
    material: Material


@dataclass(frozen=True)
class Surface:
    """A patch with vertices of its own: hair, clothes.

    Attributes:
        vertices: places in the frame of the neutral head, rig units.
        normals: unit, towards the outside.
        patch: its triangles index `vertices`.
        head_share: 1 if it follows the head, 0 if it follows the torso, for all vertices or for each.
        follow: for vertices that move with the face, the rig vertices each one follows (rows sum to one), else None.
    """

    vertices: Float32[ndarray, "n 3"]
    normals: Float32[ndarray, "n 3"]
    patch: Patch
    head_share: float | Float32[ndarray, " n"] = 1.0
    follow: csr_array | None = None


def _rig_patch(rig: Rig, name: str, tile: int, x: int, size: int, material: Material) -> Patch:
    pick = rig.of_material(name)
    uv = rig.uv[rig.triangles_uv[pick]] - np.array([tile, 0], np.float32)
    return Patch(rig.triangles[pick], texel_corners(uv, x, size), material)


def rig_patches(
    rig: Rig,
    neutral: Float[ndarray, "V 3"],
    complexion: Complexion,
    scalp: float,
    atlas: Atlas,
    page_px: int,
    seed: int,
) -> list[Patch]:
    """Skin, eyeballs, teeth, gums and tongue. The rig's iris, tear and lash cards are left out.

    Args:
        rig, neutral: the person's head.
        complexion: its colours.
        scalp: how far hair darkens the scalp, 0..1.
        atlas: receives the pages.
        page_px: size of the face's page.
        seed: of spots and pores.
    """
    pages = [
        ("M_Face", 0, Material.SKIN, paint_face(rig, neutral, complexion, scalp, page_px, seed)),
        ("M_BackHead", 1, Material.SKIN, paint_back(rig, neutral, complexion, scalp, page_px, seed)),
        ("M_GumsTongue", 2, Material.FLESH, _gums_page(rig, neutral, seed)),
        ("M_Teeth", 3, Material.TOOTH, _teeth_page(rig, neutral, seed)),
        (
            "M_ScleraLeft",
            0,
            Material.EYE,
            _eye_page(rig, neutral, "M_ScleraLeft", rig.parts.eyeball_left, complexion, seed),
        ),
        (
            "M_ScleraRight",
            0,
            Material.EYE,
            _eye_page(rig, neutral, "M_ScleraRight", rig.parts.eyeball_right, complexion, seed),
        ),
    ]
    return [_rig_patch(rig, name, tile, atlas.add(page), len(page), kind) for name, tile, kind, page in pages]


def _teeth_page(rig: Rig, neutral: Float[ndarray, "V 3"], seed: int) -> Float32[ndarray, "S S 4"]:
    pick = rig.of_material("M_Teeth")
    uv = rig.uv[rig.triangles_uv[pick]] - [3, 0]
    where = places(neutral[rig.triangles[pick]], uv, TEETH_PX)
    middle = neutral[rig.parts.teeth][:, 1].mean()
    root = np.clip(np.abs(where[..., 1] - middle) / 2.2, 0, 1)[..., None]
    tint = 1 + 0.03 * space_noise(where, 0.5, seed + 20)[..., None]
    colour = (linear_from_srgb((0.90, 0.87, 0.80)) * (1 - root) + linear_from_srgb((0.80, 0.70, 0.58)) * root) * tint
    return np.concatenate([colour, np.ones((TEETH_PX, TEETH_PX, 1))], -1).astype(np.float32)


def _gums_page(rig: Rig, neutral: Float[ndarray, "V 3"], seed: int) -> Float32[ndarray, "S S 4"]:
    pick = rig.of_material("M_GumsTongue")
    uv = rig.uv[rig.triangles_uv[pick]] - [2, 0]
    where = places(neutral[rig.triangles[pick]], uv, GUMS_PX)
    light = 1 + 0.12 * space_noise(where, 0.3, seed + 21) + 0.08 * space_noise(where, 1.0, seed + 22)
    colour = linear_from_srgb((0.72, 0.40, 0.40)) * light[..., None]
    return np.concatenate([colour, 0.6 * np.ones((GUMS_PX, GUMS_PX, 1))], -1).astype(np.float32)


def _eye_page(
    rig: Rig, neutral: Float[ndarray, "V 3"], name: str, part: slice, complexion: Complexion, seed: int
) -> Float32[ndarray, "S S 4"]:
    pick = rig.of_material(name)
    ball = neutral[part]
    centre = (ball.min(0) + ball.max(0)) / 2
    uv = rig.uv[rig.triangles_uv[pick]]
    where = places(neutral[rig.triangles[pick]] - centre, uv, EYE_PX)
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

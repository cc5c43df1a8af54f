"""A head made by code: the same names, parts and places as the ICT rig, so that nothing needs a file."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from locutor.actors.procedural_expressions import identity_fields, jaw_turn, skin_fields
from locutor.actors.procedural_parts import (
    Piece,
    ears,
    eye_socket,
    eyeball,
    gums_and_tongue,
    joined,
    lash_card,
    mouth_socket,
    teeth,
)
from locutor.actors.procedural_surface import MOUTH_Y, Skin, make_skin
from locutor.actors.rig import EXPRESSION_ROWS, Parts, Rig

MATERIALS = (
    "M_Face", "M_BackHead", "M_GumsTongue", "M_Teeth", "M_ScleraLeft", "M_ScleraRight", "M_EyeLashes",
)  # fmt: skip
TILES = {"M_BackHead": 1, "M_GumsTongue": 2, "M_Teeth": 3}
TONGUE_OUT = np.array([0.0, 0.2, -2.6])


@cache
def procedural_rig() -> Rig:
    """The rig; made once per process, in well under a second."""
    skin = make_skin()
    pieces: list[tuple[str, Piece]] = [
        ("M_BackHead", ears()),
        ("M_BackHead", mouth_socket(skin)),
        ("M_BackHead", joined([eye_socket(skin, 0), eye_socket(skin, 1)])),
        ("M_GumsTongue", gums_and_tongue()),
        ("M_Teeth", teeth()),
        ("M_ScleraLeft", eyeball(1.0)),
        ("M_ScleraRight", eyeball(-1.0)),
        *(("M_EyeLashes", lash_card(skin, eye, upper)) for upper in (True, False) for eye in (0, 1)),
    ]
    starts = len(skin.vertices) + np.cumsum([0] + [len(p.vertices) for _, p in pieces])
    ranges = [slice(int(a), int(b)) for a, b in pairwise(starts)]
    vertices = np.concatenate([skin.vertices] + [p.vertices for _, p in pieces])
    skin_material = np.where(skin.front, MATERIALS.index("M_Face"), MATERIALS.index("M_BackHead"))
    triangles = [skin.triangles] + [p.triangles + r.start for (_, p), r in zip(pieces, ranges, strict=True)]
    material = [skin_material] + [np.full(len(p.triangles), MATERIALS.index(name)) for name, p in pieces]
    uv, uv_triangles = _textures(skin, pieces)
    return Rig(
        name="procedural",
        neutral=vertices.astype(np.float32),
        identity=identity_fields(vertices).astype(np.float32),
        expression=_expressions(skin, pieces, ranges).astype(np.float32),
        triangles=np.concatenate(triangles),
        triangles_uv=uv_triangles,
        triangle_material=np.concatenate(material),
        material_names=MATERIALS,
        uv=uv.astype(np.float32),
        landmarks=_landmarks(skin),
        parts=Parts(
            face=slice(0, skin.n_front),
            head_and_neck=slice(skin.n_front, ranges[0].stop),
            mouth_socket=ranges[1],
            eye_sockets=ranges[2],
            gums_and_tongue=ranges[3],
            teeth=ranges[4],
            eyeball_left=ranges[5],
            eyeball_right=ranges[6],
            lashes_upper=tuple(ranges[7:9]),
            lashes_lower=tuple(ranges[9:]),
        ),
    )


def _textures(skin: Skin, pieces: list[tuple[str, Piece]]) -> tuple[Float[ndarray, "U 2"], Int[ndarray, "M 3"]]:
    """Texture coordinates; those of the back of the head are apart from the face's, though vertices are shared."""
    edge = skin.uv.copy()
    # Where the back meets the front it needs coordinates on its own page: the ends of its range.
    edge[: skin.n_front, 0] = np.where(skin.vertices[: skin.n_front, 0] > 0, 0.0, 0.79)
    back = edge + [TILES["M_BackHead"], 0]
    uvs, first = [skin.uv, back], 2 * len(skin.uv)
    triangles = [skin.triangles + np.where(skin.front, 0, len(skin.uv))[:, None]]
    for name, piece in pieces:
        uvs.append(piece.uv + [TILES.get(name, 0), 0])
        triangles.append(piece.triangles + first)
        first += len(piece.uv)
    return np.concatenate(uvs), np.concatenate(triangles)


def _expressions(skin: Skin, pieces: list[tuple[str, Piece]], ranges: list[slice]) -> Float[ndarray, "52 V 3"]:
    lowered = np.zeros(len(skin.vertices), bool)
    for _, lower in (skin.mouth, *skin.eyes):
        lowered[lower[1:-1]] = True
    fields = skin_fields(skin.vertices, lowered)
    out = np.zeros((len(fields), ranges[-1].stop, 3))
    out[:, : len(skin.vertices)] = fields
    for (name, piece), part in zip(pieces, ranges, strict=True):
        out[:, part] = piece.share[:, None] * fields[:, piece.parent]
        out[EXPRESSION_ROWS["jawOpen"], part] += piece.jaw[:, None] * jaw_turn(piece.vertices)
        for expression, shift in (("jawForward", (0, 0, -0.8)), ("jawLeft", (0.9, 0, 0)), ("jawRight", (-0.9, 0, 0))):
            out[EXPRESSION_ROWS[expression], part] += piece.jaw[:, None] * np.array(shift)
        if name == "M_GumsTongue":
            tongue = (np.abs(piece.vertices[:, 0]) < 2) & (piece.vertices[:, 2] > -9.1) & (piece.uv[:, 1] > 0.63)
            forward = tongue * np.clip((-4.0 - piece.vertices[:, 2]) / 5.0, 0, 1)
            out[EXPRESSION_ROWS["tongueOut"], part] = forward[:, None] * TONGUE_OUT
    return out


def _landmarks(skin: Skin) -> Int[ndarray, 68]:
    """The 68 landmarks: rims by their order, everything else by where it is seen from the front."""
    p = skin.vertices[: skin.n_front]
    facing = p[:, 2] < 0.5

    def nearest(x: float, y: float) -> int:
        return int(np.argmin(np.hypot(p[:, 0] - x, p[:, 1] - y) + 99.0 * ~facing))

    jaw = [(7.4, -2.5), (7.3, -0.5), (7.1, 1.5), (6.8, 3.4), (6.1, 5.6), (5.2, 7.2), (3.8, 8.3), (2.0, 8.9), (0.0, 9.0)]
    brow = [(5.6, -5.0), (4.7, -5.6), (3.7, -5.75), (2.6, -5.6), (1.6, -5.3)]
    nose = [(0.0, -3.6), (0.0, -2.3), (0.0, -1.0), (0.0, 0.4)]
    wings = [(-1.4, 1.5), (-0.7, 1.75), (0.0, 1.9), (0.7, 1.75), (1.4, 1.5)]
    points = [(-x, y) for x, y in jaw] + [(x, y) for x, y in jaw[-2::-1]]
    points += [(-x, y) for x, y in brow] + [(x, y) for x, y in brow[::-1]] + nose + wings
    found = [nearest(x, y) for x, y in points]
    for upper, lower in skin.eyes:
        k = len(upper) - 1
        top, bottom = [upper[k // 3], upper[k - k // 3]], [lower[k - k // 3], lower[k // 3]]
        found += [upper[0], *top, upper[-1], *bottom]
    upper, lower = skin.mouth
    k = len(upper) - 1
    found.append(int(upper[0]))
    found += [nearest(x, y) for x, y in [(-1.5, 3.4), (-0.6, 2.95), (0.0, 3.1), (0.6, 2.95), (1.5, 3.4)]]
    found.append(int(upper[-1]))
    found += [nearest(x, MOUTH_Y + d) for x, d in [(1.4, 0.95), (0.7, 1.25), (0.0, 1.3), (-0.7, 1.25), (-1.4, 0.95)]]
    middle = [k // 4, k // 2, k - k // 4]
    found += [int(upper[1]), *upper[middle], int(upper[-2]), *lower[middle[::-1]]]
    return np.array(found)

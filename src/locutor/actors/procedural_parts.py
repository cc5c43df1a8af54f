"""What the skin of the procedural head encloses: sockets, eyeballs, teeth, gums, tongue; and ears and lash cards."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from locutor.actors.procedural_surface import EYE_RADIUS, EYE_X, EYE_Y, EYE_Z, MOUTH_Y, Skin

Arch = Float[ndarray, "n 2"]


@dataclass(frozen=True)
class Piece:
    """A part with a mesh of its own.

    Attributes:
        uv: per vertex, 0..1.
        parent, share: the skin vertex whose movement it takes over, and how much of it; -1 and 0 for none.
        jaw: how far it moves with the jaw, 0..1.
    """

    vertices: Float[ndarray, "n 3"]
    triangles: Int[ndarray, "m 3"]
    uv: Float[ndarray, "n 2"]
    parent: Int[ndarray, " n"]
    share: Float[ndarray, " n"]
    jaw: Float[ndarray, " n"]


def _piece(grid: Float[ndarray, "R C 3"], box: tuple[float, float, float, float], **given: ndarray) -> Piece:
    """A grid of vertices; its texture fills the box (left, bottom, width, height)."""
    rows, columns = grid.shape[:2]
    n = rows * columns
    index = np.arange(n).reshape(rows, columns)
    a, b, d, e = index[:-1, :-1], index[:-1, 1:], index[1:, :-1], index[1:, 1:]
    triangles = np.concatenate([np.stack([a, d, b], -1).reshape(-1, 3), np.stack([b, d, e], -1).reshape(-1, 3)])
    v, u = np.meshgrid(np.linspace(0.02, 0.98, rows), np.linspace(0.02, 0.98, columns), indexing="ij")
    uv = np.stack([box[0] + box[2] * u, box[1] + box[3] * v], -1).reshape(-1, 2)
    blank: dict[str, ndarray] = {"parent": np.full(n, -1), "share": np.zeros(n), "jaw": np.zeros(n)}
    return Piece(grid.reshape(-1, 3), triangles, uv, **(blank | given))


def facing(piece: Piece, point: tuple[float, float, float], outward: bool) -> Piece:
    """The piece with its front sides away from (or towards) a point."""
    corners = piece.vertices[piece.triangles]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    away = float((normal * (corners.mean(1) - point)).sum()) > 0
    triangles = piece.triangles if away == outward else piece.triangles[:, ::-1]
    return Piece(piece.vertices, triangles, piece.uv, piece.parent, piece.share, piece.jaw)


def joined(pieces: list[Piece]) -> Piece:
    """Several pieces as one."""
    first = np.cumsum([0] + [len(p.vertices) for p in pieces])
    return Piece(
        *(
            np.concatenate([p.vertices for p in pieces]),
            np.concatenate([p.triangles + k for p, k in zip(pieces, first, strict=False)]),
        ),
        *(np.concatenate([getattr(p, name) for p in pieces]) for name in ("uv", "parent", "share", "jaw")),
    )


def _loop(rims: tuple[ndarray, ndarray]) -> tuple[ndarray, ndarray]:
    """A rim once around, closed: along the upper side and back along the lower; 1 on the lower side, -1 above."""
    upper, lower = rims
    loop = np.concatenate([upper, lower[-2:0:-1], upper[:1]])
    side = np.concatenate([[0], -np.ones(len(upper) - 2), [0], np.ones(len(lower) - 2), [0]])
    return loop, side


def mouth_socket(skin: Skin) -> Piece:
    """From the rims of the lips inwards and back to the throat."""
    loop, side = _loop(skin.mouth)
    rim = skin.vertices[loop]
    t = np.linspace(0, 2 * np.pi, len(loop))
    rings, share = [rim], [np.ones(len(loop))]
    wide = rim[:, 0] / np.abs(rim[:, 0]).max()
    rings.append(rim + np.stack([0 * t, 0.28 * side, 0.5 + 0 * t], 1))
    share.append(np.full(len(loop), 0.97))
    for depth, half_width, half_height, kept in (
        (1.3, 3.0, 1.5, 0.85),
        (3.0, 3.0, 1.9, 0.6),
        (5.0, 2.6, 1.8, 0.35),
        (7.0, 0.4, 0.4, 0.2),
    ):
        height = half_height * np.sqrt(np.clip(1 - wide**2, 0.0, 1)) * side
        rings.append(np.stack([half_width * wide, MOUTH_Y + height, -11.0 + depth + 1.2 * wide**2], 1))
        share.append(np.full(len(loop), kept))
    grid = np.stack(rings)[:, :]
    parent = np.tile(loop, len(rings))
    piece = _piece(grid, (0.82, 0.02, 0.16, 0.4), parent=parent, share=np.concatenate(share))
    return facing(piece, (0.0, MOUTH_Y, -7.0), outward=False)


def eye_socket(skin: Skin, eye: int) -> Piece:
    """The thickness of the lids, back to behind the front of the eyeball."""
    loop, side = _loop(skin.eyes[eye])
    rim = skin.vertices[loop]
    centre = np.array([np.sign(rim[0, 0]) * EYE_X, EYE_Y, EYE_Z])
    rings = [rim]
    for radius, back, spread in ((EYE_RADIUS + 0.02, 0.12, 0.05), (EYE_RADIUS - 0.1, 1.0, 0.5)):
        ring = rim + np.stack([0 * side, spread * side, 0 * side], 1)
        away = ring - centre
        rings.append(centre + away / np.linalg.norm(away, axis=1, keepdims=True) * radius + [0, 0, back])
    parent, share = np.tile(loop, 3), np.repeat([1.0, 1.0, 0.8], len(loop))
    piece = _piece(np.stack(rings), (0.82, 0.5 + 0.24 * eye, 0.16, 0.2), parent=parent, share=share)
    return facing(piece, tuple(centre + [0, 0, -1.0]), outward=False)


def eyeball(sign: float) -> Piece:
    """A sphere that looks at the camera; its texture is a disc around the optical axis."""
    polar, turn = np.linspace(0, np.pi, 25)[:, None], np.linspace(0, 2 * np.pi, 33)[None]
    direction = np.stack([np.sin(polar) * np.cos(turn), np.sin(polar) * np.sin(turn), -np.cos(polar) + 0 * turn], -1)
    centre = np.array([sign * EYE_X, EYE_Y, EYE_Z])
    piece = _piece(centre + EYE_RADIUS * direction, (0.0, 0.0, 1.0, 1.0))
    disc = 0.5 + 0.49 * (polar / np.pi)[..., None] * np.stack([np.cos(turn) + 0 * polar, np.sin(turn) + 0 * polar], -1)
    disc = disc.reshape(-1, 2)
    return facing(
        Piece(piece.vertices, piece.triangles, disc, piece.parent, piece.share, piece.jaw), tuple(centre), True
    )


def _arch(half_width: float, front: float, n: int) -> tuple[ndarray, ndarray, ndarray]:
    """A dental arch: x, z, and the outward direction (x, z)."""
    turn = np.radians(np.linspace(-82, 82, n))
    x, z = half_width * np.sin(turn), -5.6 + (front + 5.6) * np.cos(turn)
    out = np.stack([np.sin(turn), -np.cos(turn)], 1)
    return x, z, out


def teeth() -> Piece:
    """Two rows of fourteen: the enamel bulges on every tooth and falls back between them."""
    rows = []
    for jaw, root, edge, half, front in ((0.0, 2.2, 4.22, 2.6, -9.75), (1.0, 6.1, 4.3, 2.45, -9.5)):
        n = 14 * 8 + 1
        x, z, out = _arch(half, front, n)
        phase = np.abs(np.sin(np.pi * np.linspace(0, 14, n)))
        height = np.linspace(0, 1, 9)[:, None]
        bulge = 0.17 * phase[None] ** 0.5 * (1 - 0.3 * height) - 0.35 * np.clip(height - 0.9, 0, 1) / 0.1
        scallop = 0.16 * (1 - phase[None] ** 0.6) * np.sign(root - edge)
        y = root + (edge - root) * height + scallop * height
        grid = np.stack([x + bulge * out[:, 0], y + 0 * bulge, z + bulge * out[:, 1]], -1)
        piece = _piece(grid, (0.02, 0.02 + 0.5 * jaw, 0.96, 0.46), jaw=np.full(grid.shape[0] * n, jaw))
        rows.append(facing(piece, (0.0, MOUTH_Y, -5.6), outward=True))
    return joined(rows)


def gums_and_tongue() -> Piece:
    """Gums around the roots, and a tongue that lies on the floor of the mouth."""
    pieces = []
    for jaw, far, near, half, front in ((0.0, 1.3, 2.75, 2.65, -9.75), (1.0, 7.0, 5.5, 2.5, -9.5)):
        x, z, out = _arch(half, front, 57)
        height = np.linspace(0, 1, 6)[:, None]
        bulge = 0.12 + 0.1 * np.sin(np.pi * height) - 0.35 * np.clip(height - 0.8, 0, 1) / 0.2
        wavy = 0.1 * np.cos(2 * np.pi * np.linspace(0, 14, 57))[None] * height
        grid = np.stack([x + bulge * out[:, 0], far + (near - far) * height + wavy, z + bulge * out[:, 1]], -1)
        piece = _piece(grid, (0.02, 0.02 + 0.3 * jaw, 0.96, 0.26), jaw=np.full(6 * 57, jaw))
        pieces.append(facing(piece, (0.0, MOUTH_Y, -5.6), outward=True))
    along, turn = np.linspace(0, 1, 18)[:, None], np.linspace(0, 2 * np.pi, 25)[None]
    body = np.sin(np.pi / 2 * np.clip(along * 3, 0, 1) ** 0.8)
    groove = 0.12 * np.exp(-((np.cos(turn) / 0.25) ** 2)) * (np.sin(turn) < 0) * body
    y = 5.0 + body * (0.75 * np.sin(turn)) + groove - 0.6 * np.sin(np.pi * np.clip(along, 0, 0.8))
    grid = np.stack([1.75 * body * np.cos(turn) + 0 * y, y, -9.0 + 5.8 * along + 0 * turn], -1)
    piece = _piece(grid, (0.02, 0.64, 0.96, 0.34), jaw=np.repeat(1 - 0.6 * along[:, 0], 25))
    return joined([*pieces, facing(piece, (0.0, 5.0, -6.5), outward=True)])


def ears() -> Piece:
    """Flat shells at the sides of the head, hollow within a rim."""
    both = []
    for k, sign in enumerate((-1.0, 1.0)):
        ring, turn = np.linspace(0, 1, 10)[:, None], np.linspace(0, 2 * np.pi, 29)[None]
        high, deep = 2.6 * (1 - 0.12 * np.sin(turn)), 1.35 * (1 - 0.25 * np.sin(turn))
        hollow = np.interp(ring, [0, 0.45, 0.75, 0.88, 1.0], [0.45, 0.5, 1.0, 1.05, 0.2])
        x = sign * (7.3 + 1.15 * hollow + 0.35 * ring * np.cos(turn))
        grid = np.stack([x, -1.9 + ring * high * np.sin(turn) + 0 * x, 0.3 + ring * deep * np.cos(turn) + 0 * x], -1)
        both.append(facing(_piece(grid, (0.80 + 0.1 * k, 0.44, 0.09, 0.05)), (sign * 6.0, -1.9, 0.3), outward=True))
    return joined(both)


def lash_card(skin: Skin, eye: int, upper: bool) -> Piece:
    """A strip from the rim of a lid to the tips of the lashes; the tips move further than the lid."""
    rim = skin.eyes[eye][0 if upper else 1]
    base = skin.vertices[rim]
    centre = np.array([np.sign(base[0, 0]) * EYE_X, EYE_Y, EYE_Z])
    fan = (base[:, 0] - centre[0])[:, None] * [0.3, 0, 0]
    reach = np.array([0, -0.42, -0.5]) if upper else np.array([0, 0.25, -0.25])
    grid = np.stack([base, base + fan + reach])
    share = np.repeat([1.0, 1.35 if upper else 1.0], len(rim))
    return _piece(grid, (0.0, 0.0, 1.0, 1.0), parent=np.tile(rim, 2), share=share)

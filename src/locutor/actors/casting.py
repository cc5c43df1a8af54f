"""Making an actor by seed: a face, a complexion, hair and clothes."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Float32
from numpy import ndarray
from scipy.sparse import csr_array, vstack

from locutor.actors.backdrop import paint_backdrop
from locutor.actors.body import Surface, rig_surfaces
from locutor.actors.clothes import pullover, under_collar
from locutor.actors.hair import HAIR_PX, hair_page, head_of_hair
from locutor.actors.lighting import visibility
from locutor.actors.rig import FACE, HEAD_AND_NECK, Rig
from locutor.actors.scene import SUPERSAMPLING, Actor, skin_normals
from locutor.actors.skin import Complexion
from locutor.actors.strands import brows, lashes
from locutor.actors.textures import Atlas
from locutor.core.camera import Camera

IDENTITY_DEVIATION, N_IDENTITY = 0.75, 60
VISIBLE_HEIGHT, DISTANCE = 40.0, 115.0  # rig units
CENTRE_Y = 2.2  # height of the picture's middle in the head frame
N_STRANDS = 3800

COMPLEXIONS = (
    Complexion((0.82, 0.645, 0.55), (0.72, 0.42, 0.41), (0.36, 0.44, 0.40), (0.34, 0.22, 0.14), 160, 0.0),
    Complexion((0.72, 0.53, 0.42), (0.62, 0.36, 0.34), (0.30, 0.20, 0.12), (0.22, 0.15, 0.11), 40, 0.5),
    Complexion((0.52, 0.36, 0.28), (0.46, 0.27, 0.26), (0.20, 0.13, 0.09), (0.13, 0.10, 0.085), 20, 0.4),
    Complexion((0.84, 0.675, 0.59), (0.74, 0.45, 0.43), (0.36, 0.43, 0.50), (0.50, 0.34, 0.20), 320, 0.0),
)
YARNS = (
    ((0.20, 0.34, 0.42), (0.82, 0.76, 0.62)),
    ((0.48, 0.20, 0.22), (0.84, 0.74, 0.60)),
    ((0.26, 0.36, 0.27), (0.80, 0.78, 0.66)),
    ((0.30, 0.29, 0.42), (0.78, 0.66, 0.58)),
)
WALLS = ((0.74, 0.73, 0.70), (0.66, 0.72, 0.74), (0.76, 0.70, 0.64))

# How the mouth is held while the light inside it is worked out.
OPEN_MOUTH = {"jawOpen": 0.4} | {f"mouth{part}_{s}": 0.7 for part in ("UpperUp", "LowerDown", "Smile") for s in "LR"}
OPEN_MOUTH_SHADE = 0.62  # speech rarely opens it that far


def make_actor(rig: Rig, seed: int, size_px: int = 512) -> Actor:
    """The person of this seed, in front of a camera of `size_px` squared."""
    rng = np.random.default_rng(seed)
    coefficients = (IDENTITY_DEVIATION * rng.standard_normal(N_IDENTITY)).astype(np.float32)
    # Everybody has the same shoulders, which the pullover fits.
    neutral = rig.neutral + head_share(rig.neutral)[:, None] * (rig.person(coefficients) - rig.neutral)
    complexion = COMPLEXIONS[rng.integers(len(COMPLEXIONS))]
    yarn, wall = YARNS[rng.integers(len(YARNS))], WALLS[rng.integers(len(WALLS))]
    normals = skin_normals(rig, neutral)

    atlas = Atlas()
    surfaces = rig_surfaces(rig, neutral, complexion, atlas, seed)
    strands = atlas.add(hair_page(complexion.hair, seed))
    hair, hair_normals = head_of_hair(rig, neutral, normals, strands, seed, N_STRANDS)
    brow, brow_normals = brows(rig, neutral, normals, (strands, HAIR_PX), seed)
    lash, lash_normals = lashes(rig, neutral, (strands, HAIR_PX), seed)
    cloth = pullover(atlas, yarn, seed)
    extra = [*hair, brow, lash, cloth]
    extra_normals = [*hair_normals, brow_normals, lash_normals, surface_normals(cloth)]

    share = [head_share(neutral)] + [np.full(len(s.vertices), s is not cloth) for s in extra]
    triangles, first = [], len(neutral)
    for surface in surfaces:
        triangles.append(surface.triangles)
    for surface in extra:
        triangles.append(surface.triangles + first)
        first += len(surface.vertices)
    surfaces = [*surfaces, *extra]
    all_triangles = np.concatenate(triangles)
    texel = np.concatenate([s.corner_texel for s in surfaces])
    material = np.concatenate([np.full(len(s.triangles), s.material) for s in surfaces])

    rest = np.concatenate([s.vertices for s in extra])
    drawn = ~_hidden(neutral)
    keep = np.ones(len(all_triangles), bool)
    keep[: sum(len(s.triangles) for s in surfaces if not len(s.vertices))] = drawn[
        np.concatenate([s.triangles for s in surfaces if not len(s.vertices)])
    ].any(1)
    rigid = [csr_array((len(s.vertices), len(neutral)), dtype=np.float32) for s in extra]
    follow = csr_array(vstack([r if s.follow is None else s.follow for s, r in zip(extra, rigid, strict=True)]))
    visible = _visible(rig, neutral, rest, np.concatenate(extra_normals), all_triangles[keep])
    focal = size_px * DISTANCE / VISIBLE_HEIGHT
    return Actor(
        rig=rig,
        neutral=neutral,
        rest=rest,
        rest_normals=np.concatenate(extra_normals).astype(np.float32),
        follow=follow,
        head_share=np.concatenate(share).astype(np.float32),
        triangles=all_triangles[keep],
        corner_texel=texel[keep],
        material=material[keep],
        visible=visible,
        atlas=atlas.image(),
        backdrop=paint_backdrop(size_px * SUPERSAMPLING, size_px * SUPERSAMPLING, wall, seed),
        camera=Camera(size_px, size_px, focal, size_px / 2, size_px / 2 - focal * CENTRE_Y / DISTANCE),
        distance=DISTANCE,
    )


def surface_normals(surface: Surface) -> Float32[ndarray, "n 3"]:
    """Unit normals of a surface with its own vertices, weighted by area."""
    corners = surface.vertices[surface.triangles]
    areas = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals = np.zeros_like(surface.vertices)
    for k in range(3):
        np.add.at(normals, surface.triangles[:, k], areas)
    return normals / (np.linalg.norm(normals, axis=1, keepdims=True) + 1e-9)


def head_share(place: Float[ndarray, "V 3"]) -> Float32[ndarray, " V"]:
    """1 for the skull and the jaw, 0 for the shoulders, a smooth way down the neck."""
    t = np.clip((13.5 - (place[:, 1] + 0.35 * (place[:, 2] + 3))) / 8.5, 0, 1)
    return (t * t * (3 - 2 * t)).astype(np.float32)


def _hidden(neutral: Float32[ndarray, "V 3"]) -> ndarray:
    """Skin under the clothes."""
    hidden = np.zeros(len(neutral), bool)
    for part in (FACE, HEAD_AND_NECK):
        hidden[part] = under_collar(neutral[part])
    return hidden


def _visible(rig: Rig, neutral: ndarray, rest: ndarray, rest_normals: ndarray, triangles: ndarray) -> ndarray:
    """`visibility` in the neutral face; for the inside of the mouth, with the jaw half open."""
    weights = np.zeros(len(rig.expression), np.float32)
    closed = np.concatenate([neutral, rest])
    out = visibility(closed, np.concatenate([skin_normals(rig, neutral), rest_normals]), triangles)
    for name, weight in OPEN_MOUTH.items():
        weights[rig.expression_rows[name]] = weight
    open_face = rig.deformed(neutral, weights)
    opened = visibility(
        np.concatenate([open_face, rest]),
        np.concatenate([skin_normals(rig, open_face), rest_normals]),
        triangles,
        n_directions=24,
    )
    inside = slice(HEAD_AND_NECK.stop, 21451)
    out[inside] = OPEN_MOUTH_SHADE * opened[inside]
    return out


def voice_of(seed: int) -> str:
    """A voice of text to speech for the person of this seed."""
    return ("en-us+f2", "en-us", "en-us+m3")[seed % 3]

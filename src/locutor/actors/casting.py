"""Making an actor by seed: a face, a complexion, hair and clothes."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Float32
from numpy import ndarray
from scipy.sparse import csr_array, vstack

from locutor.actors.backdrop import paint_backdrop
from locutor.actors.body import Patch, Surface, rig_patches
from locutor.actors.clothes import pullover, under_collar
from locutor.actors.hair import HAIR_PX, hair_page, head_of_hair
from locutor.actors.lighting import visibility
from locutor.actors.rig import EXPRESSION_ROWS, Rig
from locutor.actors.scene import SUPERSAMPLING, Actor
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
    Complexion((0.72, 0.53, 0.42), (0.62, 0.36, 0.34), (0.30, 0.20, 0.12), (0.22, 0.15, 0.11), 110, 0.5),
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
OPEN_MOUTH = {"jawOpen": 0.4} | {f"mouth{part}{s}": 0.7 for part in ("UpperUp", "LowerDown", "Smile") for s in ("Left", "Right")}
OPEN_MOUTH_SHADE = 0.62  # speech rarely opens it that far


def make_actor(rig: Rig, seed: int, size_px: int = 512) -> Actor:
    """The person of this seed, in front of a camera of `size_px` squared."""
    rng = np.random.default_rng(seed)
    coefficients = (IDENTITY_DEVIATION * rng.standard_normal(N_IDENTITY)).astype(np.float32)
    # Everybody has the same shoulders, which the pullover fits.
    neutral = rig.neutral + head_share(rig.neutral)[:, None] * (rig.person(coefficients) - rig.neutral)
    complexion = COMPLEXIONS[rng.integers(len(COMPLEXIONS))]
    yarn, wall = YARNS[rng.integers(len(YARNS))], WALLS[rng.integers(len(WALLS))]
    normals = rig.normals(neutral)
    atlas = Atlas()
    patches = rig_patches(rig, neutral, complexion, atlas, seed)
    strands = atlas.add(hair_page(complexion.hair, seed))
    surfaces = [
        *head_of_hair(rig, neutral, normals, strands, seed, N_STRANDS),
        brows(rig, neutral, normals, (strands, HAIR_PX), seed),
        lashes(rig, neutral, (strands, HAIR_PX), seed),
        pullover(atlas, yarn, seed),
    ]
    return _assembled(rig, neutral, patches, surfaces, atlas, wall, size_px, seed)


def _assembled(
    rig: Rig,
    neutral: Float32[ndarray, "V 3"],
    patches: list[Patch],
    surfaces: list[Surface],
    atlas: Atlas,
    wall: tuple[float, float, float],
    size_px: int,
    seed: int,
) -> Actor:
    rest = np.concatenate([s.vertices for s in surfaces])
    rest_normals = np.concatenate([s.normals for s in surfaces])
    first = len(neutral) + np.cumsum([0] + [len(s.vertices) for s in surfaces])
    triangles = np.concatenate(
        [p.triangles for p in patches] + [s.patch.triangles + start for s, start in zip(surfaces, first, strict=False)]
    )
    patches = patches + [s.patch for s in surfaces]
    texel = np.concatenate([p.corner_texel for p in patches])
    material = np.concatenate([np.full(len(p.triangles), p.material) for p in patches])
    hidden = np.concatenate([_under_clothes(rig, neutral), np.zeros(len(rest), bool)])
    keep = ~hidden[triangles].all(1)
    rigid = [csr_array((len(s.vertices), len(neutral)), dtype=np.float32) for s in surfaces]
    follow = csr_array(vstack([r if s.follow is None else s.follow for s, r in zip(surfaces, rigid, strict=True)]))
    share = [head_share(neutral)] + [np.full(len(s.vertices), s.head_share, np.float32) for s in surfaces]
    focal, fine_px = size_px * DISTANCE / VISIBLE_HEIGHT, size_px * SUPERSAMPLING
    return Actor(
        rig=rig,
        neutral=neutral,
        rest=rest,
        rest_normals=rest_normals,
        follow=follow,
        head_share=np.concatenate(share),
        triangles=triangles[keep],
        corner_texel=texel[keep],
        material=material[keep],
        visible=_visible(rig, neutral, rest, rest_normals, triangles[keep]),
        atlas=atlas.image(),
        backdrop=paint_backdrop(fine_px, fine_px, wall, seed),
        camera=Camera(size_px, size_px, focal, size_px / 2, size_px / 2 - focal * CENTRE_Y / DISTANCE),
        distance=DISTANCE,
    )


def head_share(place: Float[ndarray, "V 3"]) -> Float32[ndarray, " V"]:
    """1 for the skull and the jaw, 0 for the shoulders, a smooth way down the neck."""
    t = np.clip((13.5 - (place[:, 1] + 0.35 * (place[:, 2] + 3))) / 8.5, 0, 1)
    return (t * t * (3 - 2 * t)).astype(np.float32)


def _under_clothes(rig: Rig, neutral: Float32[ndarray, "V 3"]) -> ndarray:
    """Skin under the clothes."""
    hidden = np.zeros(len(neutral), bool)
    for part in (rig.parts.face, rig.parts.head_and_neck):
        hidden[part] = under_collar(neutral[part])
    return hidden


def _visible(rig: Rig, neutral: ndarray, rest: ndarray, rest_normals: ndarray, triangles: ndarray) -> ndarray:
    """`visibility` in the neutral face; for the inside of the mouth, with the jaw half open."""
    weights = np.zeros(len(rig.expression), np.float32)
    closed = np.concatenate([neutral, rest])
    out = visibility(closed, np.concatenate([rig.normals(neutral), rest_normals]), triangles)
    for name, weight in OPEN_MOUTH.items():
        weights[EXPRESSION_ROWS[name]] = weight
    open_face = rig.deformed(neutral, weights)
    opened = visibility(
        np.concatenate([open_face, rest]),
        np.concatenate([rig.normals(open_face), rest_normals]),
        triangles,
        n_directions=24,
    )
    for inside in (rig.parts.mouth_socket, rig.parts.gums_and_tongue, rig.parts.teeth):
        out[inside] = OPEN_MOUTH_SHADE * opened[inside]
    return out


def voice_of(seed: int) -> str:
    """A voice of text to speech for the person of this seed."""
    return ("en-us+f2", "en-us", "en-us+m3")[seed % 3]

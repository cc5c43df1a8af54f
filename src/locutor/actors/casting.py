"""Making an actor by seed: a face, a complexion, hair and clothes."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Float32, Int, UInt8
from numpy import ndarray
from scipy.sparse import csr_array, vstack

from locutor.actors.backdrop import paint_backdrop
from locutor.actors.beanie import beanie
from locutor.actors.beard import beard
from locutor.actors.body import Patch, Surface, rig_patches
from locutor.actors.clothes import clothes_page, pullover, under_collar
from locutor.actors.generators import GENERATORS, Generator
from locutor.actors.glasses import glasses
from locutor.actors.hair import HAIR_PX, hair_page, head_of_hair
from locutor.actors.lighting import studio_light, visibility
from locutor.actors.long_hair import long_hair
from locutor.actors.look import CASTING, Look, cast
from locutor.actors.rig import EXPRESSION_ROWS, Rig
from locutor.actors.scene import SUPERSAMPLING, Actor, Label
from locutor.actors.strands import brows, lashes
from locutor.actors.textures import Atlas
from locutor.core.camera import Camera

IDENTITY_DEVIATION, N_IDENTITY = 0.75, 60
VISIBLE_HEIGHT, DISTANCE = 40.0, 115.0  # rig units
CENTRE_Y = 2.2  # height of the picture's middle in the head frame
SCALP = {"bald": 0.12, "crop": 0.8}  # how far hair darkens the skin under it
FULL_SCALP = 0.85

# How the mouth is held while the light inside it is worked out.
OPEN_MOUTH = {"jawOpen": 0.4} | {
    f"mouth{part}{s}": 0.7 for part in ("UpperUp", "LowerDown", "Smile") for s in ("Left", "Right")
}
OPEN_MOUTH_SHADE = 0.8  # speech rarely opens it that far
FLAT_LIGHT = 0.75
INSIDE_FLOOR = 0.05  # light that flesh and teeth pass on


def make_actor(
    rig: Rig, seed: int, size_px: int = 512, generator: Generator = GENERATORS["A"], shadows: bool = True
) -> Actor:
    """The person of this seed, as this generator draws it, in front of a camera of `size_px` squared.

    Working out the shadows takes two thirds of the time; without them the same person stands in flat light.
    """
    look = cast(seed, generator)
    grain = seed + generator.render_seed
    rng = np.random.default_rng([seed, CASTING + generator.render_seed, 1])
    coefficients = (IDENTITY_DEVIATION * rng.standard_normal(min(N_IDENTITY, len(rig.identity)))).astype(np.float32)
    # Everybody has the same shoulders, which the pullover fits.
    neutral = rig.neutral + head_share(rig.neutral)[:, None] * (rig.person(coefficients) - rig.neutral)
    normals = rig.normals(neutral)
    atlas = Atlas()
    page_px = int(np.clip(2 * size_px, 128, 1024))
    scalp = SCALP.get(look.hair_style, FULL_SCALP)
    patches = rig_patches(rig, neutral, look.complexion, scalp, atlas, page_px, grain)
    page = (atlas.add(hair_page(look.complexion.hair, grain)), HAIR_PX)
    clothes = pullover(atlas, look, grain)
    surfaces = [clothes, brows(rig, neutral, normals, page, grain), lashes(rig, neutral, page, grain)]
    if look.hair_style == "long":
        surfaces += long_hair(rig, neutral, normals, clothes, page[0], look, grain)
    else:
        surfaces += head_of_hair(rig, neutral, normals, page[0], look, grain)
    if look.hair_style == "beanie":
        surfaces.append(beanie(rig, neutral, clothes_page(atlas, look, grain + 1)))
    if look.beard == "full":
        surfaces.append(beard(rig, neutral, normals, page, grain))
    if look.glasses:
        surfaces.append(glasses(rig, neutral, look.glasses, atlas, grain))
    return _assembled(rig, neutral, patches, surfaces, atlas, look, size_px, grain, shadows)


def _assembled(
    rig: Rig,
    neutral: Float32[ndarray, "V 3"],
    patches: list[Patch],
    surfaces: list[Surface],
    atlas: Atlas,
    look: Look,
    size_px: int,
    seed: int,
    shadows: bool,
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
    hidden = np.concatenate([_under_clothes(rig, neutral, look.neckline), np.zeros(len(rest), bool)])
    keep = ~hidden[triangles].all(1)
    rigid = [csr_array((len(s.vertices), len(neutral)), dtype=np.float32) for s in surfaces]
    follow = csr_array(vstack([r if s.follow is None else s.follow for s, r in zip(surfaces, rigid, strict=True)]))
    share = [head_share(neutral)] + [np.broadcast_to(np.float32(s.head_share), len(s.vertices)) for s in surfaces]
    light = studio_light(*look.lamp)
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
        label=_labels(rig, np.concatenate(share), triangles[keep]),
        visible=_visible(rig, neutral, rest, rest_normals, triangles[keep], light.key)
        if shadows
        else np.full((len(neutral) + len(rest), 2), FLAT_LIGHT, np.float32),
        atlas=atlas.image(),
        backdrop=paint_backdrop(fine_px, fine_px, look, seed),
        light=light,
        camera=Camera(size_px, size_px, focal, size_px / 2, size_px / 2 - focal * CENTRE_Y / DISTANCE),
        distance=DISTANCE,
    )


def _labels(rig: Rig, share: Float32[ndarray, " N"], triangles: Int[ndarray, "M 3"]) -> UInt8[ndarray, " M"]:
    """Head or torso by what a triangle follows more; the inside of the mouth by its parts."""
    inside = np.zeros(len(share), bool)
    for part in (rig.parts.mouth_socket, rig.parts.gums_and_tongue, rig.parts.teeth):
        inside[part] = True
    body = np.where(share[triangles].mean(1) > 0.5, Label.HEAD, Label.TORSO)
    return np.where(inside[triangles].any(1), Label.INSIDE_MOUTH, body).astype(np.uint8)


def head_share(place: Float[ndarray, "V 3"]) -> Float32[ndarray, " V"]:
    """1 for the skull and the jaw, 0 for the shoulders, a smooth way down the neck."""
    t = np.clip((13.5 - (place[:, 1] + 0.35 * (place[:, 2] + 3))) / 8.5, 0, 1)
    return (t * t * (3 - 2 * t)).astype(np.float32)


def _under_clothes(rig: Rig, neutral: Float32[ndarray, "V 3"], neckline: float) -> ndarray:
    """Skin under the clothes."""
    hidden = np.zeros(len(neutral), bool)
    for part in (rig.parts.face, rig.parts.head_and_neck):
        hidden[part] = under_collar(neutral[part], neckline)
    return hidden


def _visible(
    rig: Rig, neutral: ndarray, rest: ndarray, rest_normals: ndarray, triangles: ndarray, key: ndarray
) -> ndarray:
    """`visibility` in the neutral face; for the inside of the mouth, with the jaw half open."""
    weights = np.zeros(len(rig.expression), np.float32)
    closed = np.concatenate([neutral, rest])
    out = visibility(closed, np.concatenate([rig.normals(neutral), rest_normals]), triangles, key)
    for name, weight in OPEN_MOUTH.items():
        weights[EXPRESSION_ROWS[name]] = weight
    open_face = rig.deformed(neutral, weights)
    bare = triangles[(triangles < len(neutral)).all(1)]  # hair and clothes throw no shadow into the mouth
    opened = visibility(open_face, rig.normals(open_face), bare, key, n_directions=20)
    for inside in (rig.parts.mouth_socket, rig.parts.gums_and_tongue, rig.parts.teeth):
        out[inside] = INSIDE_FLOOR + OPEN_MOUTH_SHADE * opened[inside]
    return out

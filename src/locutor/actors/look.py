"""What a person of a seed looks like: drawn from one of two palettes that share no colour, lamp or wall."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from locutor.actors.generators import GENERATORS, Generator

Colour = tuple[float, float, float]
"""sRGB 0..1."""

CASTING = 65  # keeps these draws apart from others of the same seed

HAIR_STYLES = ("short", "long", "crop", "bald", "beanie", "curls")
BEARDS = ("none", "stubble", "full")
PATTERNS = ("plain", "diamonds", "stripes", "marl")
BACKDROPS = ("room", "wall", "window", "shelves", "curtain")


@dataclass(frozen=True)
class Complexion:
    """Colours of a person.

    Attributes:
        skin, lips, iris, hair: base colours.
        freckles: number of freckles per face.
        stubble: 0 (none) to 1 (a day's beard shadow).
        pores: strength of the fine grain of the skin, 1 is normal.
    """

    skin: Colour
    lips: Colour
    iris: Colour
    hair: Colour
    freckles: int = 0
    stubble: float = 0.0
    pores: float = 1.0


@dataclass(frozen=True)
class Look:
    """Everything about a person but the shape of the head.

    Attributes:
        hair_style: one of `HAIR_STYLES`.
        parting: side of the parting: -1 on the left of the image, 1 on the right.
        beard: one of `BEARDS`.
        glasses: colour of the frame, None without.
        pattern, yarn, second_yarn: of the clothes.
        neckline: how far the neck opening dips in front, 0 (a high collar) to 1.
        backdrop, wall: what is behind.
        lamp: azimuth and height of the key lamp in degrees, warmth, contrast: see `lighting.studio_light`.
    """

    complexion: Complexion
    hair_style: str
    parting: float
    beard: str
    glasses: Colour | None
    pattern: str
    yarn: Colour
    second_yarn: Colour
    neckline: float
    backdrop: str
    wall: Colour
    lamp: tuple[float, float, float, float]


@dataclass(frozen=True)
class Palette:
    """What a generator of performers draws from.

    Attributes:
        skins: skin, lips.
        lamp_sides: ranges of the key lamp's azimuth, degrees.
    """

    skins: tuple[tuple[Colour, Colour], ...]
    irises: tuple[Colour, ...]
    hairs: tuple[Colour, ...]
    frames: tuple[Colour, ...]
    yarns: tuple[tuple[Colour, Colour], ...]
    walls: tuple[Colour, ...]
    lamp_sides: tuple[tuple[float, float], ...]
    lamp_heights: tuple[float, float]
    pores: tuple[float, float]


PALETTES = {  # by the name of the generator
    "A": Palette(
        skins=(
            ((0.85, 0.68, 0.59), (0.74, 0.46, 0.44)),
            ((0.80, 0.61, 0.50), (0.69, 0.40, 0.38)),
            ((0.72, 0.53, 0.42), (0.62, 0.36, 0.34)),
            ((0.60, 0.42, 0.32), (0.53, 0.31, 0.29)),
            ((0.45, 0.30, 0.23), (0.40, 0.23, 0.22)),
            ((0.34, 0.22, 0.17), (0.32, 0.18, 0.18)),
        ),
        irises=((0.36, 0.44, 0.40), (0.30, 0.20, 0.12), (0.20, 0.13, 0.09), (0.34, 0.43, 0.52), (0.42, 0.34, 0.20)),
        hairs=(
            (0.13, 0.10, 0.085), (0.22, 0.15, 0.11), (0.36, 0.23, 0.14), (0.55, 0.38, 0.22), (0.72, 0.56, 0.34),
            (0.52, 0.24, 0.12), (0.60, 0.59, 0.58),
        ),
        frames=((0.07, 0.07, 0.08), (0.34, 0.18, 0.09), (0.45, 0.10, 0.13)),
        yarns=(
            ((0.20, 0.34, 0.42), (0.82, 0.76, 0.62)), ((0.48, 0.20, 0.22), (0.84, 0.74, 0.60)),
            ((0.26, 0.36, 0.27), (0.80, 0.78, 0.66)), ((0.30, 0.29, 0.42), (0.78, 0.66, 0.58)),
            ((0.74, 0.70, 0.62), (0.30, 0.36, 0.46)), ((0.18, 0.19, 0.22), (0.60, 0.62, 0.66)),
            ((0.78, 0.52, 0.24), (0.30, 0.24, 0.22)),
        ),
        walls=((0.74, 0.73, 0.70), (0.62, 0.71, 0.75), (0.78, 0.70, 0.62), (0.58, 0.66, 0.60), (0.42, 0.45, 0.52)),
        lamp_sides=((-50.0, -20.0), (20.0, 50.0)),
        lamp_heights=(22.0, 45.0),
        pores=(0.8, 1.1),
    ),
    "B": Palette(
        skins=(
            ((0.88, 0.72, 0.65), (0.78, 0.50, 0.50)),
            ((0.77, 0.57, 0.45), (0.66, 0.42, 0.36)),
            ((0.66, 0.47, 0.35), (0.58, 0.33, 0.30)),
            ((0.52, 0.36, 0.27), (0.47, 0.28, 0.26)),
            ((0.39, 0.26, 0.20), (0.36, 0.21, 0.20)),
        ),
        irises=((0.30, 0.38, 0.46), (0.26, 0.17, 0.10), (0.38, 0.40, 0.30), (0.17, 0.11, 0.08)),
        hairs=((0.10, 0.085, 0.08), (0.29, 0.19, 0.13), (0.45, 0.29, 0.17), (0.64, 0.47, 0.28), (0.76, 0.75, 0.73)),
        frames=((0.12, 0.16, 0.26), (0.50, 0.47, 0.43), (0.20, 0.13, 0.10)),
        yarns=(
            ((0.62, 0.30, 0.26), (0.88, 0.84, 0.78)), ((0.24, 0.42, 0.40), (0.86, 0.70, 0.42)),
            ((0.40, 0.26, 0.40), (0.80, 0.72, 0.78)), ((0.56, 0.58, 0.60), (0.24, 0.26, 0.30)),
            ((0.14, 0.22, 0.36), (0.84, 0.80, 0.70)),
        ),
        walls=((0.80, 0.79, 0.78), (0.70, 0.64, 0.70), (0.50, 0.58, 0.66), (0.68, 0.70, 0.58)),
        lamp_sides=((-18.0, 18.0), (-75.0, -55.0), (55.0, 75.0)),
        lamp_heights=(5.0, 20.0),
        pores=(0.4, 0.7),
    ),
}  # fmt: skip


def cast(seed: int, generator: Generator = GENERATORS["A"]) -> Look:
    """The look of the person of this seed, as this generator makes it.

    Hair style, beard and glasses go round with the seed, so that every variant is near: the style is
    `HAIR_STYLES[seed % 6]`, a full beard comes with `seed % 5 == 3`, glasses with `seed % 4 == 1`.
    """
    palette = PALETTES[generator.name]
    rng = np.random.default_rng([seed, CASTING + generator.render_seed])
    skin, lips = palette.skins[rng.integers(len(palette.skins))]
    style = HAIR_STYLES[seed % len(HAIR_STYLES)]
    beard = "full" if seed % 5 == 3 else "stubble" if style != "long" and rng.random() < 0.3 else "none"
    dark = float(np.mean(skin)) < 0.5
    hair = palette.hairs[rng.integers(2 if dark else len(palette.hairs))]
    # Dark hair and dark eyes go with dark skin.
    irises = sorted(palette.irises, key=sum)
    iris = irises[rng.integers(2 if dark else len(irises))]
    complexion = Complexion(
        skin, lips, iris, hair,
        freckles=int(rng.choice([0, 20, 120, 280])) if not dark else 10,
        stubble={"none": 0.0, "stubble": 0.55, "full": 0.9}[beard],
        pores=rng.uniform(*palette.pores),
    )  # fmt: skip
    frame = palette.frames[rng.integers(len(palette.frames))]
    yarn, second = palette.yarns[rng.integers(len(palette.yarns))]
    sides = palette.lamp_sides[rng.integers(len(palette.lamp_sides))]
    lamp = (
        rng.uniform(*sides), rng.uniform(*palette.lamp_heights), rng.uniform(-1, 1), rng.uniform(0.25, 0.85),
    )  # fmt: skip
    return Look(
        complexion=complexion,
        hair_style=style,
        parting=float(rng.choice([-1.0, 1.0])),
        beard=beard,
        glasses=frame if seed % 4 == 1 else None,
        pattern=PATTERNS[rng.integers(len(PATTERNS))],
        yarn=yarn,
        second_yarn=second,
        neckline=float(rng.choice([0.3, 0.55, 0.8, 1.0])),
        backdrop=BACKDROPS[rng.integers(len(BACKDROPS))],
        wall=palette.walls[rng.integers(len(palette.walls))],
        lamp=lamp,
    )

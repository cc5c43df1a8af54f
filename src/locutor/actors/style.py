"""What sets one performer's way of speaking and moving apart from another's."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

Range = tuple[float, float]


@dataclass(frozen=True)
class Style:
    """One performer's habits.

    Attributes:
        lead_s: how much the lips are ahead of the sound; they travel while it is still to come.
        amplitude: how widely the mouth moves, 1 is normal.
        jaw_share: how much of the opening the jaw does; the lips do what is left of it.
        rounding: how far the lips are pushed forward.
        asymmetry: by how much the left side moves more (negative: the right), as a part.
        smile: weight of a smile that is always there.
        reach: width of the dominance functions, as a part of the generator's.
        unsteadiness: deviation of the same sound from one time to the next, as a part.
        head, brows: how much they move, 1 is normal.
        nods: part of the stressed vowels that get a nod.
        blink_s: mean time between blinks.
    """

    lead_s: float = 0.09
    amplitude: float = 1.0
    jaw_share: float = 1.0
    rounding: float = 1.0
    asymmetry: float = 0.0
    smile: float = 0.0
    reach: float = 1.0
    unsteadiness: float = 0.0
    head: float = 1.0
    brows: float = 1.0
    nods: float = 0.55
    blink_s: float = 3.5


@dataclass(frozen=True)
class StyleRanges:
    """Lowest and highest value of each field of `Style`."""

    lead_s: Range = (0.080, 0.120)
    amplitude: Range = (0.85, 1.15)
    jaw_share: Range = (0.85, 1.15)
    rounding: Range = (0.85, 1.15)
    asymmetry: Range = (-0.12, 0.12)
    smile: Range = (0.0, 0.10)
    reach: Range = (0.9, 1.1)
    unsteadiness: Range = (0.03, 0.08)
    head: Range = (0.75, 1.15)
    brows: Range = (0.6, 1.3)
    nods: Range = (0.35, 0.7)
    blink_s: Range = (2.8, 4.2)

    def draw(self, seed: int) -> Style:
        """The style of the performer with this seed; evenly distributed."""
        rng = np.random.default_rng([seed, 2])
        return Style(
            **{field.name: float(rng.uniform(*getattr(self, field.name))) for field in dataclasses.fields(self)}
        )

"""Two families of synthetic performers that obey different laws: what is learnt on A is tested on B.

A model that scores well on A may have learnt A's coarticulation rule and nothing of mouths. B has other borders
between the classes of sounds, other shapes, another law of dominance, another lead of the lips, and other people.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from locutor.actors.mouth_shapes import VISEMES_A, VISEMES_B, Viseme
from locutor.actors.style import StyleRanges


@dataclass(frozen=True)
class Generator:
    """The laws of motion of a family of performers.

    The dominance of a sound at a time that lies d seconds outside of it is `strength * exp(-(d / reach) ** power)`.

    Attributes:
        name: "A" or "B".
        render_seed: added to the seed of everything that is drawn.
        motion_seed: the same for everything that moves.
        visemes: letter of the IPA to mouth shape.
        reach_before_s, reach_after_s: how far a sound's shape reaches ahead of it and lasts after it.
        power: of the dominance: 1 in Cohen and Massaro 1993, 2 is Gaussian.
        round_ahead: how much further ahead rounding reaches.
        stress_gain: opening of vowels by stress mark; "" is none.
        settle_s: a pause shorter than this does not close the mouth.
        styles: from which a performer's style is drawn.
    """

    name: str
    render_seed: int
    motion_seed: int
    visemes: Mapping[str, Viseme]
    reach_before_s: float
    reach_after_s: float
    power: float
    round_ahead: float
    stress_gain: Mapping[str, float]
    settle_s: float
    styles: StyleRanges


GENERATORS: dict[str, Generator] = {
    "A": Generator(
        name="A",
        render_seed=0,
        motion_seed=1,
        visemes=VISEMES_A,
        reach_before_s=0.075,
        reach_after_s=0.060,
        power=2.0,
        round_ahead=1.5,
        stress_gain={"ˈ": 1.2, "ˌ": 1.0, "": 0.8},
        settle_s=0.10,
        styles=StyleRanges(lead_s=(0.080, 0.105)),
    ),
    "B": Generator(
        name="B",
        render_seed=1_000_003,
        motion_seed=7_001,
        visemes=VISEMES_B,
        reach_before_s=0.042,
        reach_after_s=0.030,
        power=1.0,
        round_ahead=1.9,
        stress_gain={"ˈ": 1.1, "ˌ": 1.05, "": 0.9},
        settle_s=0.14,
        styles=StyleRanges(
            lead_s=(0.100, 0.120),
            amplitude=(0.95, 1.25),
            jaw_share=(0.95, 1.3),
            smile=(0.04, 0.16),
            nods=(0.15, 0.4),
            brows=(0.9, 1.6),
            blink_s=(2.4, 3.6),
        ),
    ),
}

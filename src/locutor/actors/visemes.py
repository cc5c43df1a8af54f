"""Phonemes to mouth shapes over time, with coarticulation.

The model is that of Cohen and Massaro (1993): every sound has a target and a dominance that falls off with the
distance in time; a control is the dominance-weighted mean of the targets. Lip closure (p, b, m), the touch of lip
and teeth (f, v) and silence dominate their neighbours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32
from numpy import ndarray

from locutor.speech.espeak import Phoneme

LEAD_S = 0.085
"""The lips are this much ahead of the sound: they travel while it is still to come."""
REACH_BEFORE_S, REACH_AFTER_S = 0.075, 0.060
SETTLE_S = 0.10  # a pause shorter than this does not close the mouth

CONTROLS = (
    "jawOpen", "mouthClose", "mouthFunnel", "mouthPucker", "mouthStretch", "mouthSmile", "mouthLowerDown",
    "mouthUpperUp", "mouthRollLower", "mouthRollUpper", "mouthPress",
)  # fmt: skip


@dataclass(frozen=True)
class Viseme:
    """A mouth shape.

    Attributes:
        shape: weights of `CONTROLS`; those not named are 0.
        dominance: how firmly it holds against its neighbours.
        stretches: whether stress opens it wider (vowels).
    """

    shape: dict[str, float]
    dominance: float = 1.0
    stretches: bool = False


def _vowel(**shape: float) -> Viseme:
    return Viseme(shape, 1.0, True)


SILENCE = Viseme({}, 2.5)
CLOSED = Viseme(
    {"jawOpen": 0.05, "mouthClose": 0.05, "mouthPress": 0.35, "mouthRollLower": 0.22, "mouthRollUpper": 0.18}, 40.0
)
LABIODENTAL = Viseme({"jawOpen": 0.055, "mouthRollLower": 0.42, "mouthUpperUp": 0.22, "mouthStretch": 0.08}, 12.0)
ROUND = Viseme({"jawOpen": 0.05, "mouthPucker": 0.85, "mouthFunnel": 0.22}, 3.0)
POSTALVEOLAR = Viseme({"jawOpen": 0.07, "mouthFunnel": 0.50, "mouthPucker": 0.25, "mouthLowerDown": 0.10}, 1.8)
SIBILANT = Viseme({"jawOpen": 0.05, "mouthStretch": 0.22, "mouthLowerDown": 0.26, "mouthUpperUp": 0.12}, 1.5)
ALVEOLAR = Viseme({"jawOpen": 0.10, "mouthLowerDown": 0.16, "mouthUpperUp": 0.08}, 0.7)
DENTAL = Viseme({"jawOpen": 0.12, "mouthLowerDown": 0.22, "mouthUpperUp": 0.08}, 1.2)
VELAR = Viseme({"jawOpen": 0.15, "mouthLowerDown": 0.08}, 0.35)
RHOTIC = Viseme({"jawOpen": 0.10, "mouthPucker": 0.30, "mouthFunnel": 0.28}, 0.8)
FRONT_CLOSE = _vowel(jawOpen=0.11, mouthSmile=0.30, mouthStretch=0.22, mouthLowerDown=0.22, mouthUpperUp=0.10)
FRONT_MID = _vowel(jawOpen=0.24, mouthSmile=0.14, mouthStretch=0.18, mouthLowerDown=0.28, mouthUpperUp=0.15)
FRONT_OPEN = _vowel(jawOpen=0.42, mouthStretch=0.20, mouthLowerDown=0.32, mouthUpperUp=0.22)
CENTRAL = _vowel(jawOpen=0.19, mouthLowerDown=0.14, mouthUpperUp=0.05)
OPEN = _vowel(jawOpen=0.50, mouthLowerDown=0.22, mouthUpperUp=0.14)
HALF_OPEN = _vowel(jawOpen=0.33, mouthLowerDown=0.20, mouthUpperUp=0.10)
BACK_ROUND = _vowel(jawOpen=0.30, mouthFunnel=0.55, mouthPucker=0.22)
BACK_CLOSE = _vowel(jawOpen=0.11, mouthPucker=0.72, mouthFunnel=0.25)

VISEMES: dict[str, Viseme] = {
    **dict.fromkeys("pbm", CLOSED),
    **dict.fromkeys("fvɱ", LABIODENTAL),
    **dict.fromkeys("wʍ", ROUND),
    **dict.fromkeys("ʃʒ", POSTALVEOLAR),
    **dict.fromkeys("sz", SIBILANT),
    **dict.fromkeys("tdnlɾɫ", ALVEOLAR),
    **dict.fromkeys("θð", DENTAL),
    **dict.fromkeys("kɡgŋhxʔç", VELAR),
    **dict.fromkeys("ɹrɝɚɻ", RHOTIC),
    **dict.fromkeys("iɪjyᵻ", FRONT_CLOSE),
    **dict.fromkeys("eɛø", FRONT_MID),
    **dict.fromkeys("aæ", FRONT_OPEN),
    **dict.fromkeys("əɜɐ", CENTRAL),
    **dict.fromkeys("ɑ", OPEN),
    **dict.fromkeys("ʌ", HALF_OPEN),
    **dict.fromkeys("ɔɒo", BACK_ROUND),
    **dict.fromkeys("uʊ", BACK_CLOSE),
}
STRESS_GAIN = {"ˈ": 1.2, "ˌ": 1.0}
UNSTRESSED_GAIN = 0.8


@dataclass(frozen=True)
class Gesture:
    """One mouth shape that is aimed at from `start_s` to `end_s` (of the sound, not yet led)."""

    viseme: Viseme
    start_s: float
    end_s: float
    gain: float = 1.0

    def target(self) -> Float32[ndarray, " C"]:
        """Weights of `CONTROLS`."""
        gain = self.gain if self.viseme.stretches else 1.0
        return np.array([gain * self.viseme.shape.get(name, 0.0) for name in CONTROLS], np.float32)


def gestures(phonemes: Sequence[Phoneme], end_s: float, effort: float = 1.0) -> list[Gesture]:
    """The shapes of a phoneme track; diphthongs and affricates become two, pauses become silence.

    Args:
        phonemes: in order of time.
        end_s: when the last one ends.
        effort: how widely the vowels are opened, 1 is normal.
    """
    found: list[Gesture] = []
    ends = [p.start_s for p in phonemes[1:]] + [end_s]
    for phoneme, until in zip(phonemes, ends, strict=True):
        gain = effort * next((g for mark, g in STRESS_GAIN.items() if mark in phoneme.symbol), UNSTRESSED_GAIN)
        shapes = [VISEMES[c] for c in phoneme.symbol if c in VISEMES]
        if not shapes:
            if phoneme.symbol == "" and until - phoneme.start_s > SETTLE_S:
                found.append(Gesture(SILENCE, phoneme.start_s, until))
            continue
        edges = np.linspace(phoneme.start_s, until, len(shapes) + 1)
        found += [Gesture(s, a, b, gain) for s, a, b in zip(shapes, edges[:-1], edges[1:], strict=True)]
    return found


def mouth_track(shapes: Sequence[Gesture], times_s: Float[ndarray, " T"]) -> Float32[ndarray, "T C"]:
    """Weights of `CONTROLS` at the given times: the dominance-weighted mean (Cohen and Massaro 1993, eq. 3).

    Where nothing is spoken nearby the mouth is at rest.
    """
    t = np.asarray(times_s)[:, None] + LEAD_S
    start, end = (np.array([getattr(g, name) for g in shapes])[None, :] for name in ("start_s", "end_s"))
    before, after = np.maximum(start - t, 0), np.maximum(t - end, 0)
    reach = np.exp(-((before / REACH_BEFORE_S) ** 2) - (after / REACH_AFTER_S) ** 2)
    dominance = reach * np.array([g.viseme.dominance for g in shapes])
    targets = np.stack([g.target() for g in shapes])
    rest = 1e-3  # lets far-away times fall back to the closed mouth
    return ((dominance @ targets) / (dominance.sum(1, keepdims=True) + rest)).astype(np.float32)

"""Phonemes to mouth shapes over time, with coarticulation.

The model is that of Cohen and Massaro (1993): every sound has a target and a dominance that falls off with the
distance in time; a control is the dominance-weighted mean of the targets. Lip closure (p, b, m), the touch of lip
and teeth (f, v) and silence dominate their neighbours; rounding has a dominance of its own, weak in most
consonants, so that it spreads ahead through them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32
from numpy import ndarray

from locutor.actors.generators import Generator
from locutor.actors.mouth_shapes import CONTROLS, ROUNDING, SILENCE, Viseme, shapes_of
from locutor.actors.style import Style
from locutor.speech.espeak import Phoneme

__all__ = ["CONTROLS", "Gesture", "gestures", "mouth_track"]

REST = 0.03  # dominance of the closed mouth, everywhere: far-away times fall back to it
_IS_ROUNDING = np.isin(CONTROLS, ROUNDING)
_JAW = ("jawOpen", "mouthClose")  # scaled together: what is closed stays closed
_LIPS = ("mouthLowerDown", "mouthUpperUp")


@dataclass(frozen=True)
class Gesture:
    """One mouth shape that is aimed at from `start_s` to `end_s` (of the sound, not yet led)."""

    viseme: Viseme
    start_s: float
    end_s: float
    gain: float = 1.0

    def target(self, style: Style) -> Float32[ndarray, " C"]:
        """Weights of `CONTROLS`."""
        gain = self.gain * style.amplitude if self.viseme.stretches else 1.0
        shares = dict.fromkeys(_JAW, style.jaw_share) | dict.fromkeys(_LIPS, 2 - style.jaw_share)
        shares |= dict.fromkeys(ROUNDING, style.rounding)
        return np.array([gain * shares.get(c, 1.0) * self.viseme.shape.get(c, 0.0) for c in CONTROLS], np.float32)


def gestures(
    phonemes: Sequence[Phoneme],
    end_s: float,
    generator: Generator,
    opening: float = 1.0,
    rng: np.random.Generator | None = None,
    unsteadiness: float = 0.0,
) -> list[Gesture]:
    """The shapes of a phoneme track; diphthongs and affricates become two, pauses become silence.

    Args:
        phonemes: in order of time.
        end_s: when the last one ends.
        generator: whose shapes.
        opening: how widely the vowels are opened, 1 is normal.
        rng: draws how much each shape differs from its class.
        unsteadiness: relative deviation of those differences.

    Raises:
        SpeechError: a sound has no mouth shape.
    """
    found: list[Gesture] = []
    ends = [p.start_s for p in phonemes[1:]] + [end_s]
    for phoneme, until in zip(phonemes, ends, strict=True):
        stress = next((mark for mark in "ˈˌ" if mark in phoneme.symbol), "")
        shapes = shapes_of(phoneme.symbol, generator.visemes)
        if not shapes:
            if until - phoneme.start_s > generator.settle_s:
                found.append(Gesture(SILENCE, phoneme.start_s, until))
            continue
        edges = np.linspace(phoneme.start_s, until, len(shapes) + 1)
        for shape, a, b in zip(shapes, edges[:-1], edges[1:], strict=True):
            varied = 1.0 if rng is None else max(0.7, 1 + unsteadiness * rng.standard_normal())
            found.append(Gesture(shape, a, b, opening * generator.stress_gain[stress] * varied))
    return found


def mouth_track(
    shapes: Sequence[Gesture], times_s: Float[ndarray, " T"], generator: Generator, style: Style
) -> Float32[ndarray, "T C"]:
    """Weights of `CONTROLS` at the given times: the dominance-weighted mean (Cohen and Massaro 1993, eq. 3).

    Where nothing is spoken nearby the mouth is at rest.
    """
    t = np.asarray(times_s)[:, None] + style.lead_s
    start, end = (np.array([getattr(g, name) for g in shapes])[None, :] for name in ("start_s", "end_s"))
    before, after = np.maximum(start - t, 0), np.maximum(t - end, 0)
    reach = style.reach * np.array([g.viseme.reach for g in shapes])
    targets = np.stack([g.target(style) for g in shapes])
    track = np.zeros((len(t), len(CONTROLS)))
    for rounding in (False, True):
        ahead = generator.reach_before_s * reach * (generator.round_ahead if rounding else 1.0)
        distance = before / ahead + after / (generator.reach_after_s * reach)  # one of them is 0
        strength = np.array([g.viseme.rounding if rounding else g.viseme.dominance for g in shapes])
        dominance = strength * np.exp(-(distance**generator.power))
        columns = rounding == _IS_ROUNDING
        track[:, columns] = (dominance @ targets[:, columns]) / (dominance.sum(1, keepdims=True) + REST)
    return track.astype(np.float32)

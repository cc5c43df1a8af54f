"""Closing the mouth where nothing is said."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32
from numpy import ndarray

_ATTACK = 1 / 2  # per frame: open within 80 ms; speech is announced 100 ms ahead, so the onset is not cut
_RELEASE = 1 / 3  # closed within 120 ms


@dataclass(frozen=True)
class GateState:
    """How far the gate stands open, 0..1."""

    opening: float


class MouthGate:
    """Blends between the spoken mouth and the person's closed mouth."""

    def __init__(self, closed_mouth: Float32[ndarray, "58 2"]) -> None:
        """Args: closed_mouth: mouth rows of `Motion.face` with the lips closed."""
        self._closed = closed_mouth

    def init(self) -> GateState:
        """State before the first frame: closed."""
        return GateState(0.0)

    def step(
        self, state: GateState, mouth: Float32[ndarray, "t 58 2"], is_speech: Bool[ndarray, " t"]
    ) -> tuple[GateState, Float32[ndarray, "t 58 2"]]:
        """Take spoken mouths and whether there is speech, give the mouths to show."""
        opening = state.opening
        openings = np.zeros(len(mouth), np.float32)
        for t, speaking in enumerate(is_speech):
            opening = min(1.0, opening + _ATTACK) if speaking else max(0.0, opening - _RELEASE)
            openings[t] = opening
        smooth = (openings**2 * (3 - 2 * openings))[:, None, None]
        return GateState(opening), self._closed + smooth * (mouth - self._closed)

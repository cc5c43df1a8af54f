"""How widely a voice opens the mouth so far: a slow mean by which loud, noisy and foreign voices are made alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float32
from numpy import ndarray

from locutor.drive.generic_table import generic_table

_PRIOR_S, _MEMORY_S = 1.0, 8.0
_FOLLOWED = 0.5  # of the difference to the expected mean: more of it would take from one person's passages what differs
_FRAME_S = 0.02
_LEAST_SPREAD = 0.5  # as a part of the expected one: what hardly moves is not blown up further


@dataclass(frozen=True)
class OpeningState:
    """A running mean of what was heard while something was said.

    Attributes:
        controls: mean of the generic performer's mouth controls.
        square: mean square of the lip gap that they make, less that of the mean mouth; inter-ocular units, squared.
        weight_s: seconds of speech that the means stand for.
    """

    controls: Float32[ndarray, " 11"]
    square: float
    weight_s: float


class UsualOpening:
    """Mean controls and spread of the generic lip gap so far, in speech alone.

    They start from those of synthesised speech, worth a second, and follow with a memory of eight seconds of speech.
    Causal: frame j uses frames up to j.
    """

    def __init__(self, table: Mapping[str, ndarray] | None = None) -> None:
        """Args: table: with `usual_controls`, `usual_spread` and `opening`; the generic mouth's if None."""
        table = generic_table() if table is None else table
        self._prior, self._spread = table["usual_controls"], float(table["usual_spread"])
        self._opening = table["opening"]

    def init(self) -> OpeningState:
        """State before the first frame."""
        return OpeningState(self._prior, self._spread**2, _PRIOR_S)

    def restart(self, state: OpeningState) -> OpeningState:
        """State before another sound, likely of the same voice."""
        return replace(state, weight_s=min(state.weight_s, _PRIOR_S))

    def step(
        self, state: OpeningState, controls: Float32[ndarray, "t 11"], said: Bool[ndarray, " t"]
    ) -> tuple[OpeningState, Float32[ndarray, "t 12"]]:
        """Take frames, give for each the mean controls (11) and the spread (1, as a part of the expected one)."""
        mean, square, weight_s = state.controls.copy(), state.square, state.weight_s
        usual = np.empty((len(controls), 12), np.float32)
        for t, (frame, is_speech) in enumerate(zip(controls, said.tolist(), strict=True)):
            if is_speech:
                weight_s = min(weight_s + _FRAME_S, _MEMORY_S)
                share = np.float32(_FRAME_S / weight_s)
                away = frame - mean
                mean += away * share
                square += float(share) * (float(away @ self._opening) ** 2 - square)
            usual[t, :11] = self._prior + np.float32(_FOLLOWED) * (mean - self._prior)
            usual[t, 11] = max(square**0.5 / self._spread, _LEAST_SPREAD)
        return OpeningState(mean, square, weight_s), usual


def levelled(
    controls: Float32[ndarray, "t 11"], usual: Float32[ndarray, "t 12"], expected: Float32[ndarray, " 11"]
) -> Float32[ndarray, "t 11"]:
    """Controls as if this voice opened the mouth as expected."""
    return (controls - usual[:, :11]) / usual[:, 11:] + expected

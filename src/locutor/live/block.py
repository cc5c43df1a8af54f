"""Frames of a timeline that were made at once."""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Float32
from numpy import ndarray

from locutor.core.clock import SAMPLES_PER_FRAME
from locutor.core.motion import Motion
from locutor.drive.speak import SpeechDriver, SpeechState


@dataclass
class Block:
    """Frames that were made at once.

    Attributes:
        before: the driver's state before the first.
        fed: what the driver heard for them; None at rest.
        is_guess: whether silence was put where sound may still come.
        motion, rows: the frames.
        face: the motion's.
        given: how many were given out.
    """

    before: SpeechState
    fed: Float32[ndarray, " n"] | None
    is_guess: bool
    motion: Motion
    rows: Float32[ndarray, "T K14"]
    face: Float32[ndarray, "T 120 2"]
    given: int = 0

    @property
    def is_given(self) -> bool:
        """Whether nothing of it is left."""
        return self.given == len(self.rows)

    def state_behind_given(self, driver: SpeechDriver) -> SpeechState:
        """The driver's state after the last frame that was given, as if no more had been made."""
        if not self.given:
            return self.before
        if self.fed is None:
            return driver.rest(self.before, self.given)[0]
        return driver.step(self.before, self.fed[: len(self.fed) - self.n_over])[0]

    @property
    def n_over(self) -> int:
        """Samples that the driver heard for the frames that were not given."""
        return 0 if self.fed is None else (len(self.rows) - self.given) * SAMPLES_PER_FRAME

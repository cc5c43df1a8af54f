"""How a film is captured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from tyro.conf import arg

from locutor.core.errors import FootageError

SIZES = (64, 2048)  # px


@dataclass(frozen=True)
class CaptureConfig:
    """How a film is captured.

    Attributes:
        size: width and height of the frames that the avatar learns from, px.
        start_s: where in the film to begin, s.
        end_s: where to stop, s; the end of the film if not given.
    """

    size: int = 512
    start_s: Annotated[float, arg(aliases=["--start"])] = 0.0
    end_s: Annotated[float | None, arg(aliases=["--end"])] = None

    def check(self, film_s: float) -> None:
        """Compare with the length of the film (0 if unknown).

        Raises:
            FootageError: a part that the film does not have, or a size out of range.
        """
        if not SIZES[0] <= self.size <= SIZES[1]:
            raise FootageError(f"frames of {self.size} px cannot be made", f"choose {SIZES[0]} to {SIZES[1]} px")
        if not self.start_s >= 0 or (film_s and self.start_s >= film_s):
            raise FootageError(
                f"--start {self.start_s:g} is not within the film ({film_s:.1f} s)", "give a time within the film"
            )
        if self.end_s is not None and not self.end_s > self.start_s:
            raise FootageError(f"--end {self.end_s:g} is not after --start {self.start_s:g}", "give a later time")

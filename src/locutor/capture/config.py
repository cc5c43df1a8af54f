"""How a film is captured."""

from dataclasses import dataclass


@dataclass(frozen=True)
class CaptureConfig:
    """How a film is captured.

    Attributes:
        size: width and height of the frames that the avatar learns from, px.
        start_s: where in the film to begin, s.
        end_s: where to stop, s; the end of the film if not given.
    """

    size: int = 512
    start_s: float = 0.0
    end_s: float | None = None

"""What one viewer of a session is given: bounded, and when it is slow the newest wins."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Literal

from locutor.core.clock import FPS
from locutor.core.errors import LocutorError
from locutor.live.timeline import LiveFrame

MOST_FRAMES = FPS  # a second


@dataclass(frozen=True)
class Change:
    """Something happened in a session.

    Attributes:
        why: `speaks`, `rests`: sound begins or ends at `sample`; `interrupted`: the epoch was raised; `said`: a text is
            next.
        epoch, sample: the epoch now, and media time.
        queued_s: seconds of sound that wait.
        played_s: seconds of the epoch's sound that were played; of the epoch before for `interrupted`.
        id: of a text.
    """

    why: Literal["speaks", "rests", "interrupted", "said"]
    epoch: int
    sample: int
    queued_s: float
    played_s: float
    id: str = ""


@dataclass(frozen=True)
class Failure:
    """A text could not be spoken.

    Attributes:
        error: why.
        id: of the text.
    """

    error: LocutorError
    id: str


Item = LiveFrame | Change | Failure


class Viewer:
    """A queue from a session to one viewer. Frames that are not fetched in time are dropped, the oldest first."""

    def __init__(self, most_frames: int = MOST_FRAMES) -> None:
        """Args: most_frames: frames that may wait."""
        self.dropped = 0
        self.closed = False
        self._items: deque[Item] = deque()
        self._n_frames = 0
        self._most_frames = most_frames
        self._filled = asyncio.Event()

    def put(self, item: Item) -> None:
        """Append; drops the oldest frame if too many wait."""
        self._items.append(item)
        if isinstance(item, LiveFrame):
            self._n_frames += 1
            if self._n_frames > self._most_frames:
                oldest = next(i for i, waiting in enumerate(self._items) if isinstance(waiting, LiveFrame))
                del self._items[oldest]
                self._n_frames -= 1
                self.dropped += 1
        self._filled.set()

    def drop_older(self, epoch: int) -> None:
        """Drop the frames of older epochs: an interruption must not wait behind them."""
        self._items = deque(i for i in self._items if not isinstance(i, LiveFrame) or i.epoch >= epoch)
        self._n_frames = sum(isinstance(i, LiveFrame) for i in self._items)

    def close(self) -> None:
        """End the iteration once it is empty."""
        self.closed = True
        self._filled.set()

    async def batch(self) -> list[Item]:
        """Everything that waits, at least one item; empty when closed."""
        while not self._items and not self.closed:
            self._filled.clear()
            await self._filled.wait()
        items = list(self._items)
        self._items.clear()
        self._n_frames = 0
        return items

    async def __aiter__(self) -> AsyncIterator[Item]:
        while items := await self.batch():
            for item in items:
                yield item

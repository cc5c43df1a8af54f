"""What the adapters share: a session that hears PCM, shows drawn frames, and tells when a sound has come to its end."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Generic, TypeVar

import numpy as np
from jaxtyping import UInt8
from numpy import ndarray

from locutor.live.live_avatar import LiveAvatar
from locutor.live.session import Session
from locutor.live.timeline import LiveFrame

QUEUE_S = 600.0  # an agent's voice is synthesised faster than it is spoken
_ROUNDING_S = 1e-3  # of resampling

End = TypeVar("End")


@dataclass(frozen=True)
class Shown(Generic[End]):
    """What comes next.

    Attributes:
        sounds: frames whose sound is heard, in order; they may be more than are drawn.
        rgb: the picture of the newest frame; None if there is none.
        ends: marks of `Face.end` whose sound has come to its end.
    """

    sounds: list[LiveFrame]
    rgb: UInt8[ndarray, "H W 3"] | None
    ends: list[End]


class Face(Generic[End]):
    """One session, used as an asynchronous context manager; one consumer of `shown`."""

    def __init__(self, live: LiveAvatar, seed: int = 0) -> None:
        """Args:
        live: who it is.
        seed: of head movement and blinks.
        """
        self.live = live
        self.session = Session(live, seed, queue_s=QUEUE_S)
        self._pushed_s = 0.0
        self._ends: deque[tuple[float, End]] = deque()
        self._drawer = ThreadPoolExecutor(1, "draw")

    async def __aenter__(self) -> Face[End]:
        await self.session.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.session.__aexit__(kind, error, traceback)
        self._drawer.shutdown(wait=False, cancel_futures=True)

    def hear(self, pcm: bytes | memoryview, rate: int, channels: int) -> None:
        """16-bit sound, interleaved; errors as in `Session.push_audio`."""
        samples = np.frombuffer(pcm, np.int16).reshape(-1, channels).astype(np.float32).mean(axis=1) / 32768
        self.session.push_audio(samples, rate)
        self._pushed_s += len(samples) / rate

    def end(self, mark: End) -> None:
        """What was heard so far is a whole; `mark` comes back from `shown` when it was spoken."""
        self.session.end_audio()
        self._ends.append((self._pushed_s, mark))

    def interrupt(self) -> None:
        """Be silent now, and forget the marks."""
        self.session.interrupt()
        self._ends.clear()

    async def shown(self) -> AsyncIterator[Shown[End]]:
        """For ever, 25 times a second; where drawing is too slow only the newest frame is drawn."""
        viewer, loop = self.session.watch(), asyncio.get_running_loop()
        try:
            while items := await viewer.batch():
                frames = [item for item in items if isinstance(item, LiveFrame)]
                ends = self._ended()
                rgb = await loop.run_in_executor(self._drawer, self.live.draw, frames[-1].row) if frames else None
                current = [frame for frame in frames if frame.speaking and frame.epoch == self.session.epoch]
                if current or rgb is not None or ends:
                    yield Shown(current, rgb, ends)
        finally:
            self.session.leave(viewer)

    def _ended(self) -> list[End]:
        spoken_s, ends = self._pushed_s - self.session.queued_s + _ROUNDING_S, []
        while self._ends and self._ends[0][0] <= spoken_s:
            ends.append(self._ends.popleft()[1])
        return ends

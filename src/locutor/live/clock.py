"""Where a session gets its time from: the machine, or a test that lets an hour pass in seconds."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from typing import Protocol, runtime_checkable


@runtime_checkable
class Clock(Protocol):
    """Seconds that never go back."""

    def now_s(self) -> float:
        """Seconds since some moment."""
        ...

    async def sleep_until(self, time_s: float) -> None:
        """Return at `time_s`, or at once if that is past."""
        ...


class WallClock:
    """The machine's monotonic clock."""

    def now_s(self) -> float:
        """Seconds since some moment."""
        return time.monotonic()

    async def sleep_until(self, time_s: float) -> None:
        """Return at `time_s`; lets others run even if that is past."""
        await asyncio.sleep(max(0.0, time_s - time.monotonic()))


class VirtualClock:
    """Time that passes only when `advance` says so; whoever sleeps wakes in order of time."""

    def __init__(self) -> None:
        self._now_s = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Event]] = []
        self._count = itertools.count()

    def now_s(self) -> float:
        """Seconds since the beginning."""
        return self._now_s

    async def sleep_until(self, time_s: float) -> None:
        """Return when `advance` has come to `time_s`."""
        if time_s <= self._now_s:
            await asyncio.sleep(0)
            return
        woken = asyncio.Event()
        heapq.heappush(self._sleepers, (time_s, next(self._count), woken))
        await woken.wait()

    async def advance(self, duration_s: float) -> None:
        """Let time pass, and everything happen that is due in it."""
        end_s = self._now_s + duration_s
        await self._settle()
        while self._sleepers and self._sleepers[0][0] <= end_s:
            time_s, _, woken = heapq.heappop(self._sleepers)
            self._now_s = max(self._now_s, time_s)
            woken.set()
            await self._settle()
        self._now_s = end_s

    async def _settle(self) -> None:
        """Give every task that can run its turns."""
        for _ in range(8):
            await asyncio.sleep(0)

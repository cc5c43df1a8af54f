"""Frames of many sessions made before they are due, while nothing else waits: earliest deadline first.

A block of a second costs as much as sending hundreds of frames. Made when its first frame is due, it would make the
frames of all other sessions late, and sessions that need theirs at once would add up.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from typing import Protocol, runtime_checkable

TURNS = 3  # of the event loop between two blocks: a frame that became due is given, fetched by its viewer, sent


@runtime_checkable
class Prepares(Protocol):
    """Something with work that can be done early: a `Timeline`."""

    def prepare(self) -> None:
        """Do it, if there is any."""
        ...


class AheadOfTime:
    """One queue of blocks to make for all sessions of an event loop."""

    def __init__(self) -> None:
        self._waiting: list[tuple[float, int, Prepares]] = []
        self._asked: set[Prepares] = set()
        self._count = itertools.count()  # equal deadlines: first come, first served
        self._task: asyncio.Task[None] | None = None

    def ask(self, timeline: Prepares, due_s: float) -> None:
        """Let a timeline `prepare` some time before `due_s`; nothing happens if it is too late or was asked already."""
        if timeline in self._asked:
            return
        self._asked.add(timeline)
        heapq.heappush(self._waiting, (due_s, next(self._count), timeline))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._work())

    async def _work(self) -> None:
        while self._waiting:
            _, _, timeline = heapq.heappop(self._waiting)
            self._asked.discard(timeline)
            timeline.prepare()
            for _ in range(TURNS):
                await asyncio.sleep(0)

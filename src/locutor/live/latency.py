"""How long each stage takes: a histogram for the whole run, and the last minute exactly."""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from dataclasses import dataclass, field

import numpy as np

BOUNDS_MS = (1, 2, 5, 10, 20, 40, 60, 80, 100, 120, 150, 180, 220, 250, 300, 400, 600, 1000, 2000)
"""Upper bounds of the histogram's bins, ms; what is longer falls into the last one."""
N_RECENT = 1500  # a minute of frames


@dataclass
class Latency:
    """Durations of one stage.

    Attributes:
        counts: how many fell into each bin of `BOUNDS_MS`, and above.
        total_ms: their sum.
        recent_ms: the last ones.
    """

    counts: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS_MS) + 1))
    total_ms: float = 0.0
    recent_ms: deque[float] = field(default_factory=lambda: deque(maxlen=N_RECENT))

    def add(self, duration_s: float) -> None:
        """Count one duration."""
        ms = 1e3 * duration_s
        self.counts[bisect_left(BOUNDS_MS, ms)] += 1
        self.total_ms += ms
        self.recent_ms.append(ms)

    def percentiles(self, *q: float) -> tuple[float, ...]:
        """Percentiles of the recent ones, ms; zeros before the first."""
        if not self.recent_ms:
            return tuple(0.0 for _ in q)
        return tuple(float(p) for p in np.percentile(np.array(self.recent_ms), q))


class Latencies:
    """`Latency` by stage; a stage appears with its first duration."""

    def __init__(self, parent: Latencies | None = None) -> None:
        """Args: parent: counts everything too (a server's sum over its sessions)."""
        self.stages: dict[str, Latency] = {}
        self._parent = parent

    def add(self, stage: str, duration_s: float) -> None:
        """Count one duration of a stage, s."""
        latency = self.stages.get(stage)
        if latency is None:
            latency = self.stages[stage] = Latency()
        latency.add(duration_s)
        if self._parent is not None:
            self._parent.add(stage, duration_s)

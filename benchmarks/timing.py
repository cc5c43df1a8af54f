"""Wall and CPU time of repeated calls, and the figures that are made of them.

Where other programs use the cores, wall time says little; CPU time stands beside it. What is compared is measured in
turn, so that both meet the same neighbours.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch


@dataclass(frozen=True)
class Timing:
    """Milliseconds per call.

    Attributes:
        wall_ms, cpu_ms: medians; CPU time is that of all threads of this process.
        p99_ms: wall time that one call in a hundred exceeds.
        n: calls.
    """

    wall_ms: float
    cpu_ms: float
    p99_ms: float
    n: int

    @property
    def per_s(self) -> float:
        """Calls per second at the median."""
        return 1e3 / self.wall_ms


@dataclass(frozen=True)
class Figure:
    """One line of the table.

    Attributes:
        name: what was measured; the key in the JSON file, so it should not change.
        value, unit: None where it was not measured; the note says why.
        timing: what the value was made of.
        note: a remark behind it.
    """

    name: str
    value: float | None
    unit: str
    timing: Timing | None = None
    note: str = ""


def measured(f: Callable[[], object], repeats: int) -> Timing:
    """Time `f` after one call that does not count."""
    return measured_in_turn([f], repeats)[0]


def measured_in_turn(fs: list[Callable[[], object]], repeats: int) -> list[Timing]:
    """Time several functions, one call of each in turn, after one round that does not count."""
    wall_s, cpu_s = np.zeros((repeats, len(fs))), np.zeros((repeats, len(fs)))
    for f in fs:
        f()
    for i in range(repeats):
        for j, f in enumerate(fs):
            wall, cpu = time.perf_counter(), time.process_time()
            f()
            cpu_s[i, j], wall_s[i, j] = time.process_time() - cpu, time.perf_counter() - wall
    wall_ms, cpu_ms = 1e3 * wall_s, 1e3 * cpu_s
    return [
        Timing(float(np.median(w)), float(np.median(c)), float(np.percentile(w, 99)), repeats)
        for w, c in zip(wall_ms.T, cpu_ms.T, strict=True)
    ]


def per_second(name: str, f: Callable[[], object], repeats: int, unit: str = "frames/s", note: str = "") -> Figure:
    """Calls per second."""
    timing = measured(f, repeats)
    return Figure(name, timing.per_s, unit, timing, note)


@contextmanager
def torch_threads(n: int) -> Iterator[None]:
    """PyTorch with `n` threads: 1 where it only stands aside, all where it is what is measured."""
    before = torch.get_num_threads()
    torch.set_num_threads(n)
    try:
        yield
    finally:
        torch.set_num_threads(before)

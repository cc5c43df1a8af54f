"""Watching `locutor.evaluate.cost` from outside: what it says of itself against a clock and psutil."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

POLL_S = 0.01


@dataclass(frozen=True)
class Watched:
    """The same quantity as the process says it and as it was seen from outside: frames/s, ms, MB.

    Attributes:
        inside, outside: by name: `frames_per_s`, `latency_ms`, `peak_mb`.
    """

    inside: dict[str, float]
    outside: dict[str, float]

    def off(self, name: str) -> float:
        """Relative difference."""
        return abs(self.inside[name] / self.outside[name] - 1)


def watch_cost(avatar: Path) -> Watched:
    """Run the measurement in a child; time its parts by the lines it prints, poll its memory."""
    command = [sys.executable, "-m", "locutor.evaluate.cost", str(avatar)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    process, peak, times, last = psutil.Process(child.pid), [0], {}, {}

    def poll() -> None:
        while child.poll() is None:
            try:
                peak[0] = max(peak[0], process.memory_info().rss)
            except psutil.Error:
                return
            time.sleep(POLL_S)

    threading.Thread(target=poll, daemon=True).start()
    assert child.stdout is not None
    for line in child.stdout:
        now, last = time.perf_counter(), json.loads(line)
        if "begins" in last:
            times[last["begins"]] = -now
        elif "ends" in last:
            times[last["ends"]] += now
    if child.wait():
        raise RuntimeError(f"{avatar} could not be measured")
    seen = {
        "frames_per_s": last["n_frames"] / times["film"],
        "latency_ms": 1e3 * times["single"] / last["n_single"],
        "peak_mb": peak[0] / 2**20,
    }
    return Watched({name: float(last[name]) for name in seen}, seen)

"""Frame times while another process keeps one core busy, and while none does."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator

import numpy as np
from benchmarks.raster import renderer_of
from benchmarks.scene import head
from benchmarks.timing import Figure, Timing

FRAMES = 600


def figures() -> Iterator[Figure]:
    """p99 over p50 of pose+render at 20k@512."""
    renderer, scene = renderer_of(head(20_000, 512)), head(20_000, 512)

    def frames() -> Timing:
        wall_ms, cpu = np.zeros(FRAMES), time.process_time()
        for i in range(FRAMES):
            started = time.perf_counter()
            renderer.render(scene.coefficients, scene.pose)
            wall_ms[i] = 1e3 * (time.perf_counter() - started)
        cpu_ms = 1e3 * (time.process_time() - cpu) / FRAMES
        return Timing(float(np.median(wall_ms)), cpu_ms, float(np.percentile(wall_ms, 99)), FRAMES)

    frames()
    yield spread("p99 / p50 of pose+render 20k@512, quiet", frames())
    busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        time.sleep(0.5)
        timing = frames()
    finally:
        busy.kill()
        busy.wait()
    yield spread("p99 / p50 of pose+render 20k@512, one core kept busy", timing)


def spread(name: str, timing: Timing) -> Figure:
    return Figure(name, timing.p99_ms / timing.wall_ms, "x", timing, f"p50 {timing.per_s:.0f} frames/s")

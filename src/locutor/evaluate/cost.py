"""What speaking costs on this machine, measured in a process of its own: `python -m locutor.evaluate.cost AVATAR`.

The process prints a line of JSON when each part begins and ends, so that a watch outside can check what it says of
itself (`benchmarks/quality.py` does).
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from locutor.avatar.bundle import load_avatar
from locutor.avatar.film import film
from locutor.core.clock import FPS
from locutor.core.errors import LocutorError
from locutor.drive.idle import IdleDriver
from locutor.drive.idle_model import IdleModel
from locutor.splat.engine import default_engine

N_FILM, N_SINGLE, N_WARM = 8 * FPS, 4 * FPS, 10  # frames
RAPL = Path("/sys/class/powercap/intel-rapl:0/energy_uj")


def measure_cost(avatar: Path) -> dict[str, Any]:
    """Frames per second and latency of drawing, memory, energy; see `main` for the names.

    Raises:
        LocutorError: the avatar cannot be measured.
    """
    done = subprocess.run([sys.executable, "-m", "locutor.evaluate.cost", str(avatar)], capture_output=True, text=True)
    if done.returncode:
        raise LocutorError(f"{avatar} could not be measured ({done.stderr.strip()[-200:]})", "see `locutor doctor`")
    return dict(json.loads(done.stdout.splitlines()[-1]))


def main(path: str) -> None:
    """Measure and print; the last line holds the figures.

    `frames_per_s`: films, all threads; `latency_ms`, `latency_p95_ms`: mean and 95th percentile of a frame drawn
    alone; `peak_mb`: largest resident set; `cpu_ms`: processor time of a filmed frame; `joule`: energy of one, null
    where the processor does not tell.
    """
    avatar = load_avatar(Path(path))
    driver = IdleDriver(IdleModel.from_tensors(dict(avatar.idle)))
    motion = driver.step(driver.init(0), N_FILM)[1]
    for k in range(N_WARM):
        avatar.render(motion[k : k + 1])
    cpu_s, joule = time.process_time(), _joule()
    film_s = _timed("film", lambda: [None for _ in film(avatar, [motion])])
    cpu_s, used = time.process_time() - cpu_s, _joule()
    singles: list[float] = []

    def alone() -> None:
        for k in range(N_SINGLE):
            started = time.perf_counter()
            avatar.render(motion[k : k + 1])
            singles.append(1e3 * (time.perf_counter() - started))

    _timed("single", alone)
    _say(
        frames_per_s=round(N_FILM / film_s, 1),
        latency_ms=round(float(np.mean(singles)), 3),
        latency_p95_ms=round(float(np.percentile(singles, 95)), 3),
        peak_mb=round(_peak_mb(), 1),
        cpu_ms=round(1e3 * cpu_s / N_FILM, 2),
        joule=None if joule is None or used is None else round((used - joule) / N_FILM, 3),
        n_frames=N_FILM,
        n_single=N_SINGLE,
        threads=default_engine().threads,
    )


def _timed(name: str, work: Callable[[], object]) -> float:
    """Seconds that it takes, between two lines for whoever watches."""
    _say(begins=name)
    started = time.perf_counter()
    work()
    elapsed_s = time.perf_counter() - started
    _say(ends=name)
    return elapsed_s


def _say(**record: object) -> None:
    print(json.dumps(record), flush=True)


def _peak_mb() -> float:
    """Largest resident set of this process. That of `getrusage` begins with the parent's on Linux."""
    try:
        line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    except (OSError, StopIteration):
        largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return largest / (2**20 if sys.platform == "darwin" else 1024)


def _joule() -> float | None:
    """Energy counter of the processor package (RAPL); None where it is not readable."""
    try:
        return int(RAPL.read_text()) / 1e6 if os.access(RAPL, os.R_OK) else None
    except (OSError, ValueError):
        return None


if __name__ == "__main__":
    main(sys.argv[1])

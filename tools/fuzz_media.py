"""Feed mutated films to the reader and to capture: no crash, no hang, no unbounded memory.

    .venv/bin/python tools/fuzz_media.py --samples FILM [FILM ...] --out DIR

Each mutation (random bytes, truncation, swapped headers, repeated or dropped blocks) is read in a child process with
a limit of memory and of time; the seed decides everything. A child may succeed or raise a `LocutorError`; anything
else is a failure, and its file is kept in DIR.
"""

from __future__ import annotations

import collections
import contextlib
import multiprocessing
import resource
import sys
import tempfile
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import tyro

from locutor.capture.config import CaptureConfig
from locutor.capture.film import capture_film
from locutor.core.errors import LocutorError, MediaError
from locutor.media.audio import read_audio_chunks
from locutor.media.video import iterate_frames, probe_video

_PATIENCE = 10  # on a busy machine a child may get a tenth of a core


@dataclass(frozen=True)
class Config:
    """What to try.

    Attributes:
        samples: films of a few seconds to mutate.
        out: folder for the files that failed.
        n: how many mutated files.
        seed: of the mutations.
        limit_s: longest processor time for one file.
        limit_mb: most address space of one child; the libraries alone take some.
        capture_every: every so many files go through the whole capture instead of the reader alone; 0 for none.
    """

    samples: tuple[Path, ...]
    out: Path
    n: int = 500
    seed: int = 0
    limit_s: float = 30.0
    limit_mb: int = 8000
    capture_every: int = 0


def main() -> None:
    config = tyro.cli(Config)
    config.out.mkdir(parents=True, exist_ok=True)
    outcomes: collections.Counter[str] = collections.Counter()
    with tempfile.TemporaryDirectory() as temporary:
        for k in range(config.n):
            rng = np.random.default_rng([config.seed, k])
            name, data = mutate([path.read_bytes() for path in config.samples], rng)
            sample = config.samples[k % len(config.samples)]
            path = Path(temporary) / f"{k:04d}_{name}{sample.suffix}"
            path.write_bytes(data)
            work = "capture" if config.capture_every and k % config.capture_every == 0 else "read"
            outcome = run_one(path, work, config.limit_s, config.limit_mb)
            outcomes[outcome] += 1
            if outcome not in ("read", "refused"):
                path.replace(config.out / path.name)
                print(f"{path.name}: {outcome}", flush=True)
            else:
                path.unlink()
    print(dict(outcomes))
    sys.exit(0 if set(outcomes) <= {"read", "refused"} else 1)


def mutate(samples: list[bytes], rng: np.random.Generator) -> tuple[str, bytes]:
    """One mutated file and the name of the mutation."""
    which = int(rng.integers(len(samples)))
    data, other = bytearray(samples[which]), samples[int(rng.integers(len(samples)))]
    kinds: list[Callable[[], bytes]] = [
        lambda: _sprinkled(data, rng, 0, len(data)),
        lambda: _sprinkled(data, rng, 0, min(4096, len(data))),
        lambda: _sprinkled(data, rng, max(0, len(data) - 4096), len(data)),
        lambda: bytes(data[: int(rng.integers(0, len(data)))]),
        lambda: other[: int(rng.integers(16, 2048))] + bytes(data[int(rng.integers(16, 2048)) :]),
        lambda: _without_block(data, rng),
        lambda: bytes(data) + bytes(data[int(rng.integers(len(data))) :]),
        lambda: rng.integers(0, 256, int(rng.integers(0, 65536))).astype(np.uint8).tobytes(),
        lambda: _filled(data, rng),
    ]
    names = ("bytes", "head", "tail", "cut", "swapped", "hole", "twice", "noise", "filled")
    kind = int(rng.integers(len(kinds)))
    return names[kind], kinds[kind]()


def _sprinkled(data: bytearray, rng: np.random.Generator, start: int, end: int) -> bytes:
    for at in rng.integers(start, end, int(rng.integers(1, 200))):
        data[at] = int(rng.integers(256))
    return bytes(data)


def _without_block(data: bytearray, rng: np.random.Generator) -> bytes:
    start = int(rng.integers(len(data)))
    return bytes(data[:start]) + bytes(data[start + int(rng.integers(1, 65536)) :])


def _filled(data: bytearray, rng: np.random.Generator) -> bytes:
    start = int(rng.integers(len(data)))
    length = int(rng.integers(1, 20000))
    data[start : start + length] = bytes([int(rng.choice([0, 255]))]) * min(length, len(data) - start)
    return bytes(data)


def run_one(path: Path, work: str, limit_s: float, limit_mb: int) -> str:
    """How a child fared: read, refused, or what went wrong. Its time is that of the processor: machines are busy."""
    context = multiprocessing.get_context("fork")
    says, hears = context.Pipe()
    child = context.Process(target=_child, args=(work, path, hears, limit_s, limit_mb))
    child.start()
    child.join(_PATIENCE * limit_s)
    if child.is_alive():
        child.kill()
        child.join()
        return f"stuck for {_PATIENCE * limit_s:.0f} s"
    if says.poll():
        return str(says.recv())
    return f"ended by signal {-(child.exitcode or 0)}"  # 24 is the limit of time


def _child(work: str, path: Path, answer: Connection, limit_s: float, limit_mb: int) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (int(limit_s), int(limit_s) + 1))
    resource.setrlimit(resource.RLIMIT_AS, (limit_mb << 20, limit_mb << 20))
    warnings.simplefilter("ignore")
    try:
        (_capture if work == "capture" else _read)(path)
        answer.send("read")
    except LocutorError:
        answer.send("refused")
    except BaseException as error:
        answer.send(f"{type(error).__name__}: {error}")


def _read(path: Path) -> None:
    with contextlib.suppress(MediaError):  # no sound is no fault
        for _ in read_audio_chunks(path):
            pass
    probe_video(path)
    for _ in iterate_frames(path):
        pass
    for _ in iterate_frames(path, start_s=1.5, end_s=2.0):
        pass


def _capture(path: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for _ in capture_film(path, Path(folder) / "out", CaptureConfig(size=256)):
            pass


if __name__ == "__main__":
    main()

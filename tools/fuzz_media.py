"""Feed mutated films to the reader and to capture: no crash, no hang, no unbounded memory.

    .venv/bin/python tools/fuzz_media.py --samples FILM [FILM ...] --out DIR

Each mutation (random bytes, truncation, swapped headers, repeated or dropped blocks) is read in a child process with
a limit of memory and of time; the seed decides everything. A child may succeed or raise a `LocutorError`; anything
else is a failure, and its file is kept in DIR.
"""

from __future__ import annotations

import collections
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tyro

REFUSED = 3


@dataclass(frozen=True)
class Config:
    """What to try.

    Attributes:
        samples: films of a few seconds to mutate.
        out: folder for the files that failed.
        n: how many mutated files.
        seed: of the mutations.
        limit_s: longest time for one file.
        limit_mb: most address space of one child; the libraries alone take some.
        capture_every: every so many files go through the whole capture instead of the reader alone; 0 for none.
    """

    samples: tuple[Path, ...]
    out: Path
    n: int = 500
    seed: int = 0
    limit_s: float = 30.0
    limit_mb: int = 6000
    capture_every: int = 0


def main() -> None:
    if len(sys.argv) == 4 and sys.argv[1] == "--child":
        sys.exit(_child(sys.argv[2], Path(sys.argv[3])))
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
    """How a child fared: read, refused, crashed, killed by a signal, or too slow."""

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (limit_mb << 20, limit_mb << 20))

    command = [sys.executable, __file__, "--child", work, str(path)]
    try:
        done = subprocess.run(command, timeout=limit_s, capture_output=True, preexec_fn=limited, check=False)
    except subprocess.TimeoutExpired:
        return f"slower than {limit_s:.0f} s"
    if done.returncode == 0:
        return "read"
    if done.returncode == REFUSED:
        return "refused"
    return f"code {done.returncode}: {done.stderr.decode(errors='replace')[-600:]}"


def _child(work: str, path: Path) -> int:
    import warnings

    from locutor.core.errors import LocutorError

    warnings.simplefilter("ignore")
    try:
        if work == "capture":
            _capture(path)
        else:
            _read(path)
    except LocutorError:
        return REFUSED
    return 0


def _read(path: Path) -> None:
    from locutor.core.errors import MediaError
    from locutor.media.audio import read_audio_chunks
    from locutor.media.video import iterate_frames, probe_video

    try:
        for _ in read_audio_chunks(path):
            pass
    except MediaError:
        pass
    probe_video(path)
    for _ in iterate_frames(path):
        pass
    for _ in iterate_frames(path, start_s=1.5, end_s=2.0):
        pass


def _capture(path: Path) -> None:
    from locutor.capture.config import CaptureConfig
    from locutor.capture.film import capture_film

    with tempfile.TemporaryDirectory() as folder:
        for _ in capture_film(path, Path(folder) / "out", CaptureConfig(size=256)):
            pass


if __name__ == "__main__":
    main()

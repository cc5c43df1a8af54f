"""kill -9 at random moments: what was finished stays, what was not is gone on with, and litter does not grow."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import numpy as np
import soundfile
from tools.torture.samples import TINY, tiny_performance

from locutor.avatar.bundle import load_avatar
from locutor.capture.performance import Performance
from locutor.media.video import iterate_frames
from locutor.provenance.page import verify_page
from locutor.provenance.verify import State, verify

HEADER = (
    "| verb | kills | ran to its end | longest run s | half-written outputs | finished work lost | "
    "most entries left | most MB left | left at the end | result |\n|" + "---|" * 10
)


@dataclass(frozen=True)
class Job:
    """A verb to kill.

    Attributes:
        name: of the verb.
        command: arguments of `locutor`; run in the job's folder.
        out: what it makes there.
        whole: raises when the output is not whole.
        keeps: names that stay in the folder on purpose (a run folder).
    """

    name: str
    command: tuple[str, ...]
    out: str
    whole: Callable[[Path], None]
    keeps: tuple[str, ...] = ()


def kill_table(work: Path, n_kills: int, seed: int) -> bool:
    """Print one row per verb; whether all of them came through."""
    print(f"\n{HEADER}")
    clean = True
    for job in _jobs(work):
        clean &= _torture(job, work / job.name, n_kills, np.random.default_rng([seed, len(job.name)]))
    return clean


def _jobs(work: Path) -> list[Job]:
    soundfile.write(work / "sound.wav", np.random.default_rng(0).normal(0, 0.05, 16_000 * 6).astype(np.float32), 16_000)
    performance = tiny_performance(work / "performance")
    small = ("--n-iterations", "200", "--checkpoint-every", "25", *TINY)
    jobs = [
        Job("say", ("say", "demo", str(work / "sound.wav"), "-o", "a.mp4"), "a.mp4", _whole_film),
        Job("train", ("train", str(performance), "-o", "me.avatar", *small), "me.avatar", _whole_avatar, ("me.run",)),
    ]
    if os.environ.get("LOCUTOR_MODELS"):
        film = str(resources.files("locutor.actors") / "embedded" / "video.mp4")
        command = ("capture", film, "-o", "footage", "--end", "3", "--size", "256")
        jobs.append(Job("capture", command, "footage", _whole_footage))
    else:
        print("| capture | not run: LOCUTOR_MODELS is not set |")
    jobs.append(Job("export", ("export", "demo", "-o", "page", "--format", "web"), "page", _whole_page))
    return jobs


_PROGRAM = (sys.executable, "-m", "locutor.cli.main")


def _torture(job: Job, folder: Path, n_kills: int, rng: np.random.Generator) -> bool:
    folder.mkdir()
    started = time.monotonic()
    _run(job, folder).wait()
    longest_s = time.monotonic() - started
    job.whole(folder / job.out)
    finished = folder / f"finished{Path(job.out).suffix}"
    (folder / job.out).rename(finished)  # an earlier work of the same kind, which must not be touched
    before = _digest(finished)
    for name in job.keeps:
        shutil.rmtree(folder / name)
    kills = ended = torn = lost = most_entries = 0
    most_mb = 0.0
    while kills < n_kills:
        process = _run(job, folder)
        try:
            process.wait(float(rng.uniform(0.05, 1.0)) * longest_s)
            ended += 1
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            kills += 1
        out = folder / job.out
        if out.exists():
            torn += not _is_whole(job, out)
            _remove(out)
            for name in job.keeps:
                _remove(folder / name)
        lost += _digest(finished) != before
        left = [path for path in folder.rglob("*") if finished not in (path, *path.parents)]
        most_entries = max(most_entries, len(left))
        most_mb = max(most_mb, sum(path.stat().st_size for path in left if path.is_file()) / 1e6)
    last = _run(job, folder)
    status = last.wait()
    left_over = sorted(p.name for p in folder.iterdir() if p.name not in (job.out, finished.name, *job.keeps))
    good = status == 0 and _is_whole(job, folder / job.out) and not left_over and not torn and not lost
    cells = (
        kills,
        ended,
        f"{longest_s:.0f}",
        torn,
        lost,
        most_entries,
        f"{most_mb:.1f}",
        ", ".join(left_over) or "nothing",
    )
    print(
        f"| {job.name} | {' | '.join(map(str, cells))} | {'whole' if good else f'FAILED (status {status})'} |",
        flush=True,
    )
    return good


def _run(job: Job, folder: Path) -> subprocess.Popen[bytes]:
    """In a group of its own: helpers such as speech programs die with it."""
    null = subprocess.DEVNULL
    return subprocess.Popen([*_PROGRAM, *job.command], cwd=folder, stdout=null, stderr=null, start_new_session=True)


def _is_whole(job: Job, out: Path) -> bool:
    try:
        job.whole(out)
    except Exception:
        return False
    return True


def _digest(path: Path) -> str:
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    return hashlib.sha256(b"".join(f.read_bytes() for f in files if f.is_file())).hexdigest()


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _whole_footage(path: Path) -> None:
    performance = Performance(path)
    assert len(performance) == len(performance.frames) == 75
    assert len(performance.sound) == 75 * 640


def _whole_avatar(path: Path) -> None:
    assert load_avatar(path).provenance.iterations == 200


def _whole_film(path: Path) -> None:
    assert sum(1 for _ in iterate_frames(path)) >= 150
    assert verify(path).state is State.VALID


def _whole_page(path: Path) -> None:
    assert verify_page(path).state is State.VALID

"""Mutated files to every loader, in child processes that may neither grow, nor hang, nor do anything but read."""

from __future__ import annotations

import faulthandler
import json
import multiprocessing
import os
import resource
import shutil
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tools.torture.loaders import Target, refused

LIMIT_MB = 2000  # of address space beyond what the child has at the start
CHUNK = 500  # cases of one child
PATIENCE_S = 120  # without a sign of life from a child; the machine may be busy
LONGEST_S = 20.0  # of processor time for one file
_FORBIDDEN = (
    "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "subprocess.Popen", "socket.connect", "os.remove",
    "os.rename", "os.symlink", "os.link", "os.mkdir", "os.chmod", "os.chown", "shutil.", "pickle.find_class", "exec",
)  # fmt: skip


@dataclass
class Outcome:
    """How a target fared.

    Attributes:
        counts: cases read, refused, or failed.
        failures: what went wrong, with the seed of the case.
        cpu_s: processor time.
        peak_mb: growth of the largest child's resident memory.
    """

    counts: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    cpu_s: float = 0.0
    peak_mb: float = 0.0


def attack(target: Target, n: int, seed: int, keep: Path) -> Outcome:
    """Cases 0..n of a target; files that fail are kept in `keep`."""
    outcome, first = Outcome(), 0
    while first < n:
        first = _some(target, seed, first, min(n, first + CHUNK), outcome, keep)
    return outcome


def _some(target: Target, seed: int, first: int, end: int, outcome: Outcome, keep: Path) -> int:
    """One child; returns the next case, which is the one after the case that ended the child."""
    context = multiprocessing.get_context("fork")
    hears, says = context.Pipe(duplex=False)
    with tempfile.TemporaryDirectory(prefix="torture-") as folder:
        child = context.Process(target=_child, args=(target, seed, first, end, Path(folder), says))
        child.start()
        says.close()
        k, last = first, time.monotonic()
        while True:
            if hears.poll(1.0):
                try:
                    answer = hears.recv()
                except EOFError:
                    break
                last = time.monotonic()
                if answer["case"] is None:
                    outcome.cpu_s += answer["cpu_s"]
                    outcome.peak_mb = max(outcome.peak_mb, answer["peak_mb"])
                    k = end
                    break
                k = answer["case"] + 1
                outcome.counts[answer["what"]] += 1
                if "why" in answer:
                    _failed(target, seed, answer["case"], answer["why"], outcome, keep)
            elif not child.is_alive() and not hears.poll(0):
                break
            elif time.monotonic() - last > PATIENCE_S:
                child.kill()
                break
        child.join()
        if k < end:  # it ended in the middle of case k
            outcome.counts["failed"] += 1
            why = f"ended by signal {-child.exitcode}" if (child.exitcode or 0) < 0 else f"exit {child.exitcode}"
            _failed(target, seed, k, why, outcome, keep)
            k += 1
        return k


def _failed(target: Target, seed: int, case: int, why: str, outcome: Outcome, keep: Path) -> None:
    outcome.failures.append(f"case {case}: {why}")
    keep.mkdir(parents=True, exist_ok=True)
    name = "".join(c if c.isalnum() else "_" for c in target.name)
    (keep / f"{name}-{seed}-{case}{target.suffix}").write_bytes(target.make(np.random.default_rng([seed, case])))


def _child(target: Target, seed: int, first: int, end: int, folder: Path, says: Connection) -> None:
    os.chdir(folder)
    torch.set_num_threads(1)  # those of the parent are not here, and would be waited for
    faulthandler.disable()  # pytest's own would print what the parent reports anyway
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)
    path = folder / f"case{target.suffix}"
    guard = _Guard(folder)
    limit = _address_space() + (LIMIT_MB << 20)
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    started, before_kb = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for case in range(first, end):
        path.write_bytes(target.make(np.random.default_rng([seed, case])))
        case_s = time.process_time()
        answer: dict[str, Any] = {"case": case}
        try:
            with guard:
                answer["what"] = "refused" if refused(target.read, path) else "read"
            why = _fault(target, guard, time.process_time() - case_s, {p.name for p in folder.iterdir()} - {path.name})
        except BaseException as error:
            why = f"{type(error).__name__}: {str(error)[:200]}"
        if why:
            answer |= {"what": "failed", "why": why}
        _clear(folder)
        says.send(answer)
    grown_mb = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb) / 1024
    says.send({"case": None, "cpu_s": time.process_time() - started, "peak_mb": grown_mb})
    says.close()
    os._exit(0)


def _fault(target: Target, guard: _Guard, cpu_s: float, left: set[str]) -> str:
    """What is wrong with a case that ended well, if anything."""
    if guard.seen and not target.writes:
        return f"did {guard.seen[0]}"
    if left and not target.writes:
        return f"left {', '.join(sorted(left))} behind"
    longest_s = LONGEST_S * (5 if target.writes else 1)
    return f"took {cpu_s:.0f} s of processor time" if cpu_s > longest_s else ""


def _clear(folder: Path) -> None:
    for path in folder.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()


class _Guard:
    """Notes what Python code does beside reading while the block runs (PEP 578)."""

    def __init__(self, folder: Path) -> None:
        self.seen: list[str] = []
        self._folder = str(folder)
        self._on = False
        sys.addaudithook(self._hear)

    def __enter__(self) -> None:
        self.seen.clear()
        self._on = True

    def __exit__(self, *_: object) -> None:
        self._on = False

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self._on:
            return
        if event == "open":
            name, _, flags = arguments
            if (
                isinstance(name, str | bytes)
                and isinstance(flags, int)
                and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
            ):
                self.seen.append(f"open {name!r} for writing")
        elif event.startswith(_FORBIDDEN) and not _is_import(event):
            self.seen.append(f"{event} {arguments!r:.100}")


def _is_import(event: str) -> bool:
    """Modules that are imported on first use run their code: `exec` is that of the import system."""
    frame = sys._getframe(2)
    while event == "exec" and frame is not None:
        if "importlib" in frame.f_code.co_filename:
            return True
        frame = frame.f_back
    return False


def _address_space() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    return pages * resource.getpagesize()


def as_json(outcomes: dict[str, Outcome]) -> str:
    """For the record."""
    return json.dumps({name: vars(o) | {"counts": dict(o.counts)} for name, o in outcomes.items()}, indent=1)

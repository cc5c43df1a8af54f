"""Full disks, folders that cannot be written to, two processes in one place: a sentence, and nothing half-written."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from importlib import resources
from pathlib import Path

import numpy as np
import soundfile
from tools.torture.samples import TINY, tiny_performance

_PROGRAM = (sys.executable, "-m", "locutor.cli.main")
_NOBODY = 65534


def place_table(work: Path) -> bool:
    """Print one row per verb and trouble; whether each gave a sentence and left nothing under a finished name."""
    folder = work / "places"
    folder.mkdir()
    work.chmod(0o755)
    samples = folder / "samples"
    samples.mkdir()
    performance = tiny_performance(samples / "performance")
    soundfile.write(samples / "sound.wav", np.random.default_rng(0).normal(0, 0.05, 64_000).astype(np.float32), 16_000)
    small = ["--n-iterations", "100", *TINY]
    verbs = {
        "train": (("train", str(performance), "-o", "me.avatar", *small), "me.avatar"),
        "say": (("say", "demo", str(samples / "sound.wav"), "-o", "a.mp4"), "a.mp4"),
    }
    if os.environ.get("LOCUTOR_MODELS"):
        film = str(resources.files("locutor.actors") / "embedded" / "video.mp4")
        verbs["capture"] = (("capture", film, "-o", "footage", "--end", "3", "--size", "256"), "footage")
    print("\n| verb | trouble | status | what it says | left under its name | result |\n|---|---|---|---|---|---|")
    clean = True
    for verb, (command, out) in verbs.items():
        for trouble, prepare, words in (
            ("disk full (no file above 64 kB)", _tiny_files, "is full"),
            ("folder that cannot be written to", _as_nobody, "cannot write"),
        ):
            place = folder / f"{verb}-{trouble.split()[0]}"
            place.mkdir(mode=0o755)
            done = subprocess.run(
                [*_PROGRAM, *command],
                cwd=place,
                capture_output=True,
                text=True,
                preexec_fn=prepare,
                env=_environment(place),
            )
            clean &= _row(verb, trouble, done.returncode, done.stderr, place / out, words)
        clean &= _two(verb, command, folder / f"{verb}-two", out)
    return clean


def _environment(place: Path) -> dict[str, str]:
    return os.environ | {"XDG_DATA_HOME": str(place.parent / "data"), "HOME": str(place), "MPLCONFIGDIR": str(place)}


def _tiny_files() -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64_000, 64_000))


def _as_nobody() -> None:
    if os.getuid() == 0:  # permissions do not bind the superuser
        os.setgroups([])
        os.setgid(_NOBODY)
        os.setuid(_NOBODY)


def _row(verb: str, trouble: str, status: int, said: str, out: Path, words: str) -> bool:
    lines = [line for line in said.splitlines() if line.startswith("locutor: ") and "warning" not in line]
    sentence = lines[-1].removeprefix("locutor: ").replace(str(out.parent), "…") if lines else said.strip()[-80:]
    good = status == 2 and words in sentence and "Traceback" not in said and not out.exists()
    left = "nothing" if not out.exists() else out.name
    print(
        f"| {verb} | {trouble} | {status} | {sentence} | {left} | {'as it should' if good else 'FAILED'} |", flush=True
    )
    return good


def _two(verb: str, command: tuple[str, ...], place: Path, out: str) -> bool:
    """The second of two is refused; the first is not disturbed."""
    place.mkdir()
    null = subprocess.DEVNULL
    first = subprocess.Popen([*_PROGRAM, *command], cwd=place, stdout=null, stderr=null)
    _until(lambda: any(place.rglob(".*.lock")) or any(place.rglob("job.json")), first)
    second = subprocess.run([*_PROGRAM, *command], cwd=place, capture_output=True, text=True)
    good = _row(
        verb, "two processes in one folder", second.returncode, second.stderr, place / "none", "another process"
    )
    if first.wait() != 0 or not (place / out).exists():
        print(f"  FAILED: the first {verb} was disturbed")
        return False
    return good


def _until(is_there: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    while not is_there() and process.poll() is None:
        time.sleep(0.02)

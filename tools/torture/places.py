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


def place_table(work: Path) -> bool:
    """Print one row per verb and trouble; whether each gave a sentence and left nothing under a finished name."""
    folder = work / "places"
    folder.mkdir()
    samples = folder / "samples"
    samples.mkdir()
    performance = tiny_performance(samples / "performance")
    soundfile.write(samples / "sound.wav", np.random.default_rng(0).normal(0, 0.05, 64_000).astype(np.float32), 16_000)
    small = ["--n-iterations", "100", *TINY]
    verbs = {
        "train": (("train", str(performance), "-o", "me.avatar", *small), "me.avatar"),
        "say": (("say", "demo", str(samples / "sound.wav"), "-o", "a.mp4"), "a.mp4"),
        "export": (("export", "demo", str(samples / "sound.wav"), "-o", "page", "--format", "web"), "page"),
    }
    if os.environ.get("LOCUTOR_MODELS"):
        film = str(resources.files("locutor.actors") / "embedded" / "video.mp4")
        verbs["capture"] = (("capture", film, "-o", "footage", "--end", "3", "--size", "256"), "footage")
    print("\n| verb | trouble | status | what it says | left in the folder | result |\n|---|---|---|---|---|---|")
    clean = True
    for verb, (command, out) in verbs.items():
        for trouble, words in _TROUBLES.items():
            place = folder / f"{verb}-{len(list(folder.iterdir()))}"
            place.mkdir()
            clean &= _trouble(verb, trouble, command, place, out, words)
        clean &= _two(verb, command, folder / f"{verb}-two", out)
    return clean


_TROUBLES = {"no file above 64 kB": "is full", "disk of 100 kB": "is full", "read-only folder": "cannot write"}
# In a mount namespace of its own, so that the mount ends with the process; what is left is told before.
_MOUNTED = 'mount -t tmpfs -o "$0" tmpfs "$PWD" && cd "$PWD" || exit 99; "$@"; s=$?; ls -A > "$LEFT"; exit $s'
_MOUNTS = {"disk of 100 kB": "size=100k", "read-only folder": "ro"}


def _trouble(verb: str, trouble: str, command: tuple[str, ...], place: Path, out: str, words: str) -> bool:
    listing = place.with_name(f"{place.name}.left")
    environment = os.environ | {"LEFT": str(listing)}
    arguments = [*_PROGRAM, *command]
    prepare: Callable[[], None] | None = None
    if trouble not in _MOUNTS:
        prepare = _tiny_files
    elif os.getuid() == 0:  # permissions do not bind the superuser, mounts do
        arguments = ["unshare", "-m", "sh", "-c", _MOUNTED, _MOUNTS[trouble], *arguments]
    elif trouble == "read-only folder":
        place.chmod(0o555)
    else:
        print(f"| {verb} | {trouble} | not run: needs the superuser |")
        return True
    done = subprocess.run(arguments, cwd=place, capture_output=True, text=True, preexec_fn=prepare, env=environment)
    if done.returncode == 99:
        print(f"| {verb} | {trouble} | not run: this machine lets nobody mount |")
        return True
    left = listing.read_text().split() if listing.exists() else [p.name for p in place.iterdir()]
    place.chmod(0o755)
    return _row(verb, trouble, done.returncode, done.stderr, place, out, left, words)


def _tiny_files() -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64_000, 64_000))


def _row(verb: str, trouble: str, status: int, said: str, place: Path, out: str, left: list[str], words: str) -> bool:
    lines = [line for line in said.splitlines() if line.startswith("locutor: ") and "warning" not in line]
    sentence = lines[-1].removeprefix("locutor: ").replace(f"{place}/", "") if lines else said.strip()[-80:]
    good = status == 2 and words in sentence and "Traceback" not in said and out not in left
    cells = (status, sentence, ", ".join(left) or "nothing", "as it should" if good else "FAILED")
    print(f"| {verb} | {trouble} | {' | '.join(map(str, cells))} |", flush=True)
    return good


def _two(verb: str, command: tuple[str, ...], place: Path, out: str) -> bool:
    """The second of two is refused; the first is not disturbed."""
    place.mkdir()
    null = subprocess.DEVNULL
    first = subprocess.Popen([*_PROGRAM, *command], cwd=place, stdout=null, stderr=null)
    _until(lambda: any(place.rglob(".*.lock")) or any(place.rglob("job.json")), first)
    first.send_signal(signal.SIGSTOP)  # a short one would end before the second has begun
    second = subprocess.run([*_PROGRAM, *command], cwd=place, capture_output=True, text=True)
    first.send_signal(signal.SIGCONT)
    trouble = "two processes in one folder"
    good = _row(verb, trouble, second.returncode, second.stderr, place, "", [], "another process")
    if first.wait() != 0 or not (place / out).exists():
        print(f"  FAILED: the first {verb} was disturbed")
        return False
    return good


def _until(is_there: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    while not is_there() and process.poll() is None:
        time.sleep(0.02)

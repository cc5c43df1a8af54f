"""`make quality`: captures, trains and judges the real clips of $LOCUTOR_MEDIA; writes docs/QUALITY.md.

    .venv/bin/python -m benchmarks.quality [--work runs/quality] [--avatars A.avatar ...] [--page docs/QUALITY.md]

Needs LOCUTOR_MEDIA (with video/*.mp4) and LOCUTOR_MODELS. What lies in the work folder is not made again; finished
avatars may be given in place of the clips. Ends with status 1 when a check fails.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import tyro
from benchmarks.quality_checks import Check, checks_of
from benchmarks.quality_page import Judged, read_judged, write_page
from benchmarks.watch import watch_cost

CLIPS = ("french_50s_512_30fps", "lieu_45s_512_25fps", "obama_20s_450_25fps")
_PROGRAM = (sys.executable, "-m", "locutor.cli.main")


@dataclass(frozen=True)
class Config:
    """What to judge.

    Attributes:
        work: folder of captures, avatars and reports.
        avatars: finished avatars to judge in place of training on the clips; their footage must lie where it was.
        page: the page to write.
    """

    work: Path = Path("runs/quality")
    avatars: tuple[Path, ...] = ()
    page: Path = Path("docs/QUALITY.md")


def main() -> None:
    config = tyro.cli(Config)
    config.work.mkdir(parents=True, exist_ok=True)
    judged: list[Judged] = []
    checks: list[Check] = []
    for avatar in config.avatars or [_trained(clip, config.work) for clip in CLIPS]:
        report = config.work / f"{avatar.stem}.report"
        if not report.exists():
            _run("eval", str(avatar), "-o", str(report), "--true-torso")
        one = read_judged(avatar, report)
        judged.append(one)
        checks += checks_of(one, watch_cost(avatar))
        for check in checks[-8:]:
            print(f"{one.name}: {check.line()}", flush=True)
    write_page(config.page, judged, checks)
    print(f"{config.page} is written; {sum(c.holds is False for c in checks)} of {len(checks)} checks fail")
    sys.exit(1 if any(check.holds is False for check in checks) else 0)


def _trained(clip: str, work: Path) -> Path:
    """Captured and trained, unless that is done."""
    media = os.environ.get("LOCUTOR_MEDIA") or sys.exit("set LOCUTOR_MEDIA to the folder that holds video/*.mp4")
    performance, avatar = work / clip, work / f"{clip}.avatar"
    if not performance.exists():
        _run("capture", str(Path(media, "video", f"{clip}.mp4")), "-o", str(performance))
    if not avatar.exists():
        _run("train", str(performance), "-o", str(avatar))
    return avatar


def _run(*arguments: str) -> None:
    started = time.monotonic()
    done = subprocess.run([*_PROGRAM, *arguments], stdout=subprocess.DEVNULL)
    print(f"locutor {' '.join(arguments)}: {time.monotonic() - started:.0f} s", flush=True)
    if done.returncode:
        sys.exit(done.returncode)


if __name__ == "__main__":
    main()

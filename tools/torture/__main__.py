"""Torture: mutated files, kills, full disks, locked folders. Prints the tables of docs/hardening.md.

    .venv/bin/python -m tools.torture [--share 0.1] [--only fuzz kill places] [--out DIR]

Files are mutated in a process beside the kills, so that two cores are busy. With LOCUTOR_MODELS set, captures are
killed too. Ends with status 1 when anything failed.
"""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Literal

import tyro
from tools.torture.fuzz import Outcome, as_json, attack
from tools.torture.kills import kill_table
from tools.torture.loaders import smaller, targets
from tools.torture.places import place_table

from locutor.avatar.bundle import load_avatar

Part = Literal["fuzz", "kill", "places"]


@dataclass(frozen=True)
class Config:
    """What to do.

    Attributes:
        share: of the cases of a full run.
        only: parts to run.
        targets: only loaders whose name contains this.
        n_kills: of every verb.
        seed: of all mutations and moments.
        out: where failing files and the record go.
    """

    share: float = 1.0
    only: tuple[Part, ...] = ("fuzz", "kill", "places")
    targets: str = ""
    n_kills: int = 20
    seed: int = 0
    out: Path = Path("torture")


def main() -> None:
    config = tyro.cli(Config)
    started, clean = time.monotonic(), True
    config.out.mkdir(parents=True, exist_ok=True)
    beside = _beside(config) if "fuzz" in config.only and len(config.only) > 1 else None
    with tempfile.TemporaryDirectory(prefix="torture-") as folder:
        work = Path(folder)
        os.environ["XDG_DATA_HOME"] = str(work / "data")
        if "fuzz" in config.only and beside is None:
            clean &= _fuzz(config, work)
        if "kill" in config.only:
            clean &= kill_table(work, config.n_kills, config.seed)
        if "places" in config.only:
            clean &= place_table(work)
    if beside is not None:
        told = beside.communicate()[0]
        print(f"\n{told}", end="")
        clean &= beside.returncode == 0
    print(f"\n{time.monotonic() - started:.0f} s in all")
    sys.exit(0 if clean else 1)


def _beside(config: Config) -> subprocess.Popen[str]:
    """The mutated files in a process of their own."""
    own = dataclasses.replace(config, only=("fuzz",))
    arguments = [f"--{name.replace('_', '-')}={value}" for name, value in vars(own).items() if name != "only"]
    command = [sys.executable, "-m", "tools.torture", *arguments, "--only", "fuzz"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def _fuzz(config: Config, work: Path) -> bool:
    with resources.as_file(resources.files("locutor.actors") / "embedded") as embedded:
        avatar = smaller(load_avatar(embedded / "performer.avatar"))
        chosen = [target for target in targets(avatar, embedded, work) if config.targets in target.name]
    outcomes: dict[str, Outcome] = {}
    print("| loader | cases | read | refused | failed | CPU s | memory grown, MB |\n|---|---|---|---|---|---|---|")
    for target in chosen:
        o = outcomes[target.name] = attack(target, max(1, round(config.share * target.n)), config.seed, config.out)
        c = o.counts
        cells = (c.total(), c["read"], c["refused"], c["failed"], f"{o.cpu_s:.0f}", f"{o.peak_mb:.0f}")
        print(f"| {target.name} | {' | '.join(map(str, cells))} |", flush=True)
        if c.total() >= 1000 and not c["read"]:
            o.failures.append("nothing was read: the samples are no good")
        for failure in o.failures[:20]:
            print(f"  {failure}", file=sys.stderr)
    (config.out / "fuzz.json").write_text(as_json(outcomes) + "\n")
    return not any(o.failures for o in outcomes.values())


if __name__ == "__main__":
    main()

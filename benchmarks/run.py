"""`make bench`: every figure of speed and accuracy in one run, as a table and as JSON.

    python -m benchmarks.run [--json FILE] [--only raster,training] [--avatars a.avatar b.avatar]

Medians; CPU time (of all threads) stands beside wall time. Avatars of real clips also come from LOCUTOR_AVATARS
(paths with the system's separator between them). `make quality` judges pictures; this judges time.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks import accuracy, avatar, machine, neighbour, raster, rivals, training
from benchmarks.timing import Figure


def chapters(avatars: list[Path]) -> dict[str, tuple[str, Callable[[], Iterator[Figure]]]]:
    """What there is to run: key, title, figures."""
    return {
        "accuracy": ("Against the float64 reference", accuracy.figures),
        "raster": ("Drawing: `render` from posed Gaussians, `pose+render` from coefficients", raster.figures),
        "training": ("Training", training.figures),
        "avatar": ("Trained avatars", lambda: avatar.figures(avatars)),
        "neighbour": ("Beside a busy process", neighbour.figures),
        "rivals": ("Times faster than others, in turn", rivals.figures),
    }


def line(figure: Figure) -> str:
    """One line of the table."""
    value = "not measured" if figure.value is None else f"{number(figure.value)} {figure.unit}"
    text = f"  {figure.name:<58s} {value:>20s}"
    if figure.timing is not None:
        t = figure.timing
        late = "" if math.isnan(t.p99_ms) else f" (p99 {t.p99_ms:.2f})"
        text += f"   {t.wall_ms:8.2f} ms wall{late}, {t.cpu_ms:.2f} ms CPU"
    return f"{text}   {figure.note}".rstrip()


def number(value: float) -> str:
    """Three digits or so."""
    if value != 0 and abs(value) < 1e-2:
        return f"{value:.1e}"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.2f}"


def record(figure: Figure) -> dict[str, object]:
    """What the JSON file holds of it."""
    kept: dict[str, object] = {"value": figure.value, "unit": figure.unit, "note": figure.note}
    if figure.timing is not None:
        t = figure.timing
        late = None if math.isnan(t.p99_ms) else round(t.p99_ms, 4)
        kept |= {"wall_ms": round(t.wall_ms, 4), "cpu_ms": round(t.cpu_ms, 4), "p99_ms": late, "n": t.n}
    return kept


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, help="write the figures there, for comparison over time")
    parser.add_argument("--only", default="", help="chapters with commas between them")
    parser.add_argument("--avatars", type=Path, nargs="*", default=[], help="avatars of real clips")
    options = parser.parse_args()
    named = [Path(p) for p in os.environ.get("LOCUTOR_AVATARS", "").split(os.pathsep) if p]
    every = chapters([*options.avatars, *named])
    chosen = options.only.split(",") if options.only else list(every)
    if unknown := set(chosen) - set(every):
        parser.error(f"no chapter {', '.join(sorted(unknown))}; there are {', '.join(every)}")
    facts, started, ticks = machine.facts(), time.monotonic(), machine.CpuTicks.now()
    for key, value in facts.items():
        print(f"{key:>14s}  {value}")
    kept: dict[str, dict[str, object]] = {}
    for key in chosen:
        title, figures = every[key]
        print(f"\n{title}", flush=True)
        for figure in figures():
            print(line(figure), flush=True)
            kept[figure.name.strip()] = record(figure)
    stolen = machine.stolen_since(ticks)
    told = "" if stolen is None else f"; the host gave {100 * stolen:.1f} % of the cores' time to other guests"
    print(f"\n{time.monotonic() - started:.0f} s{told}")
    if options.json:
        facts["stolen_share"] = stolen
        facts["load_average_after"] = machine.facts()["load_average"]
        options.json.write_text(json.dumps({"machine": facts, "figures": kept}, indent=1) + "\n")
        print(f"written to {options.json}")


if __name__ == "__main__":
    main()

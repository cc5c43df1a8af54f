"""`metrics.json`, `metrics.csv` (a line per figure) and `frames.csv` (a line per frame) of a judgement."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from locutor.evaluate.faults import find_faults
from locutor.evaluate.figure import Figure, mean

if TYPE_CHECKING:
    from locutor.evaluate.judge import Judgement

VERSION = 3  # 1 had values alone, without intervals; 2 the range of 95 % of the rolls as the voice's chance
VOICE_FOLDS = "voice, five-fold over the whole clip"


def write_metrics(path: Path, judged: Judgement) -> None:
    """Everything, for programs. Values that are not numbers are null."""
    voice = judged.voice
    record = {
        "version": VERSION,
        "footage": judged.performance.meta.source,
        "avatar": judged.avatar.id,
        "held_out_frames": [judged.part.start, judged.part.end],
        "iterations": judged.avatar.provenance.iterations,
        "trained_s": judged.avatar.provenance.trained_s,
        "track": asdict(judged.performance.meta.quality),
        "rows": {row.protocol.value: _values(row.figures) for row in judged.rows},
        "kinds": {row.protocol.value: row.protocol.kind for row in judged.rows},
        "intervals": {row.protocol.value: _intervals(row.figures) for row in judged.rows},
        "faults": {row.protocol.value: [asdict(fault) for fault in find_faults(row.values)] for row in judged.rows},
        "voice_five_fold": {
            name: {figure: _all(f) for figure, f in getattr(voice, name).items()}
            for name in ("voice", "chance", "ceiling")
        }
        | {"as_good_by_chance": voice.as_good}
        | {"gap_in_silence": round(voice.gap_in_silence, 3) if voice.gap_in_silence is not None else None}
        if voice
        else {},
        "cost": judged.cost,
        "lip_gap": {"truth": _numbers(judged.truth.gap)} | {r.protocol.value: _numbers(r.gap) for r in judged.rows},
    }
    path.write_text(json.dumps(record, indent=1, allow_nan=False) + "\n")


def write_table(path: Path, judged: Judgement) -> None:
    """`row, kind, figure, value, low, high, n`."""
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(("row", "kind", "figure", "value", "low", "high", "n"))
        for row, kind, figures in _tables(judged):
            for name, f in figures.items():
                out.writerow((row, kind, name, *(_csv(x) for x in (f.value, f.low, f.high)), f.n))


def write_frames(path: Path, judged: Judgement) -> None:
    """A line per frame and row with every figure that is a mean over frames, and the lip gap."""
    names = sorted({n for row in judged.rows for n, m in row.measured.items() if m.statistic is mean})
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(("row", "frame", "lip_gap", *names))
        for row in judged.rows:
            columns = [row.measured[name].columns[:, 0] if name in row.measured else np.zeros(0) for name in names]
            n = max(len(row.gap), *(len(column) for column in columns))
            for t in range(n):
                cells = [_csv(float(column[t])) if t < len(column) else "" for column in [row.gap, *columns]]
                out.writerow((row.protocol.value, judged.part.start + t if row.protocol.is_aligned else t, *cells))


def _tables(judged: Judgement) -> Iterator[tuple[str, str, Mapping[str, Figure]]]:
    for row in judged.rows:
        yield row.protocol.value, row.protocol.kind, row.figures
    if judged.voice is not None:
        for name, kind in (("voice", "protocol"), ("chance", "chance"), ("ceiling", "ceiling")):
            yield VOICE_FOLDS, kind, getattr(judged.voice, name)


def _values(figures: Mapping[str, Figure]) -> dict[str, float | None]:
    return {name: _number(f.value) for name, f in figures.items()}


def _intervals(figures: Mapping[str, Figure]) -> dict[str, list[float | int | None]]:
    return {name: [_number(f.low), _number(f.high), f.n] for name, f in figures.items()}


def _all(f: Figure) -> list[float | int | None]:
    return [_number(f.value), _number(f.low), _number(f.high), f.n]


def _numbers(values: Any) -> list[float | None]:
    return [_number(float(v)) for v in values]


def _number(value: float) -> float | None:
    return round(value, 4) if math.isfinite(value) else None


def _csv(value: float) -> str:
    return f"{value:.5g}" if math.isfinite(value) else ""

"""docs/QUALITY.md out of the reports."""

from __future__ import annotations

import datetime
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from locutor.avatar.bundle import load_avatar
from locutor.evaluate.figure import Figure
from locutor.evaluate.protocols import Protocol
from locutor.evaluate.words import GROUPS, number, percent, title

if TYPE_CHECKING:
    from benchmarks.quality_checks import Check

FEWEST = 20  # events (or frames): with fewer, the 95 % interval of a share is .4 wide and tells nothing apart
_VERDICTS = {True: "yes", False: "**no**", None: "too few"}


@dataclass(frozen=True)
class Judged:
    """One clip's report.

    Attributes:
        name: of the clip.
        avatar, footage, report: where they lie.
        record: `metrics.json`.
    """

    name: str
    avatar: Path
    footage: Path
    report: Path
    record: dict[str, Any]

    def figure(self, row: Protocol, name: str) -> Figure | None:
        """Of the held-out part."""
        value = self.record["rows"].get(row.value, {}).get(name)
        if value is None:
            return None
        low, high, n = self.record["intervals"][row.value][name]
        return Figure(value, *(math.nan if x is None else x for x in (low, high)), n)

    def folds(self, part: str, name: str) -> Figure | None:
        """Of the voice over the whole clip: `voice`, `chance` or `ceiling`."""
        value, low, high, n = self.record["voice_five_fold"].get(part, {}).get(name, (None, None, None, 0))
        return None if value is None else Figure(value, *(math.nan if x is None else x for x in (low, high)), n)

    def as_good(self, name: str) -> float | None:
        """Share of the rolls of the sound that do as well as the voice over the whole clip."""
        share: float | None = self.record["voice_five_fold"]["as_good_by_chance"].get(name)
        return share


def read_judged(avatar: Path, report: Path) -> Judged:
    """Of an avatar and the folder that `locutor eval` made."""
    footage = Path(load_avatar(avatar).provenance.performance)
    return Judged(avatar.stem, avatar, footage, report, json.loads((report / "metrics.json").read_text()))


def write_page(path: Path, clips: Sequence[Judged], checks: Sequence[Check]) -> None:
    """Write the page."""
    path.write_text("\n".join(_page(clips, checks)) + "\n")


def _page(clips: Sequence[Judged], checks: Sequence[Check]) -> Iterator[str]:
    yield "# Quality on real clips"
    yield ""
    yield f"Written by `make quality` on {datetime.date.today().isoformat()}; docs/evaluation.md says what is measured."
    yield "Everything is on the last 1/11 of each clip, which was never trained on; the five-fold tables are on the"
    yield "whole clip, each fifth answered by a model of the others. Brackets: 95 % intervals."
    yield ""
    yield "    LOCUTOR_MEDIA=... LOCUTOR_MODELS=... make quality"
    yield ""
    yield "or, clip by clip:"
    yield ""
    for clip in clips:
        film = clip.record["footage"]
        yield f"    locutor capture {film} -o {clip.name} && locutor train {clip.name} -o {clip.name}.avatar"
        yield f"    locutor eval {clip.name}.avatar -o {clip.name}.report --true-torso"
    yield ""
    yield "Chance: *shuffled sound*, *another's motion*, *static head*, *mean frame*, *cross, shuffled*."
    yield "Ceiling: *truth through the codec*. *pasted* and *true torso* show pixels of the truth:"
    yield "they are for comparison with papers only."
    for clip in clips:
        yield from _clip(clip)
    yield from _checks(checks)


def _clip(clip: Judged) -> Iterator[str]:
    record, cost = clip.record, clip.record["cost"]
    start, end = record["held_out_frames"]
    yield ""
    yield f"## {clip.name}"
    yield ""
    yield f"{end - start} frames held out; {record['iterations']} iterations in {record['trained_s']:.0f} s."
    energy = "not readable here" if cost["joule"] is None else f"{cost['joule']} J a frame"
    yield (
        f"Drawing ({cost['threads']} threads): {cost['frames_per_s']} frames/s, {cost['latency_ms']} ms for a frame "
        f"alone, {cost['peak_mb']} MB; energy {energy}."
    )
    for group, names in GROUPS.items():
        yield from _table(clip, group, names)
    yield ""
    yield "Voice by the sound alone, five-fold over the whole clip; chance: mean over rolls of the sound"
    yield ""
    yield "| figure | voice | chance | ceiling | rolls as good | n |\n|---|---|---|---|---|---|"
    for name in record["voice_five_fold"].get("voice", {}):
        found = [clip.folds(part, name) for part in ("voice", "chance", "ceiling")]
        n = found[0].n if found[0] else 0
        yield f"| {title(name)} | {' | '.join(_cell(f) for f in found)} | {percent(clip.as_good(name))} | {n} |"


def _table(clip: Judged, group: str, names: Sequence[str]) -> Iterator[str]:
    rows = [Protocol(row) for row in clip.record["rows"]]
    shown = [name for name in names if any(clip.figure(row, name) for row in rows)]
    rows = [row for row in rows if any(clip.figure(row, name) for name in shown)]
    if not rows:
        return
    yield ""
    yield f"{group}"
    yield ""
    yield f"| row | {' | '.join(title(name) for name in shown)} |"
    yield "|---" * (len(shown) + 1) + "|"
    for row in rows:
        name = row.value if row.kind == "protocol" else f"*{row.value}*"
        yield f"| {name} | {' | '.join(_cell(clip.figure(row, figure)) for figure in shown)} |"


def _cell(f: Figure | None) -> str:
    return "-" if f is None else f"{number(f.value)} [{number(f.low)}, {number(f.high)}]"


def _checks(checks: Sequence[Check]) -> Iterator[str]:
    yield ""
    yield "## Checks"
    yield ""
    judged = [check for check in checks if check.holds is not None]
    yield f"{sum(bool(check.holds) for check in judged)} of {len(judged)} hold."
    yield f"{len(checks) - len(judged)} are not judged: fewer than {FEWEST} openings, closings or closures were there."
    yield ""
    yield "| clip | claim | holds | figures |\n|---|---|---|---|"
    for check in checks:
        yield f"| {check.clip} | {check.claim} | {_VERDICTS[check.holds]} | {check.said} |"

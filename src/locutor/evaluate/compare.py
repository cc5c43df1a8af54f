"""`locutor eval a.avatar b.avatar`: both judged alike, and what differs by more than chance."""

from __future__ import annotations

import html
import json
import math
from collections.abc import Generator, Iterator
from dataclasses import asdict
from pathlib import Path

from locutor.avatar.avatar import Avatar
from locutor.capture.performance import Performance
from locutor.core.events import Event, Wrote
from locutor.core.files import atomic_path, refuse_existing_folder
from locutor.evaluate.figure import Figure, difference
from locutor.evaluate.judge import Judgement, judge
from locutor.evaluate.report import STYLE
from locutor.evaluate.words import GROUPS, TITLES, number, title, with_interval
from locutor.provenance.config import MARKED, MarkConfig

SIDES = ("a", "b")


def compare(
    names: tuple[str, str],
    pairs: tuple[tuple[Avatar, Performance], tuple[Avatar, Performance]],
    out: Path,
    marking: MarkConfig = MARKED,
    true_torso: bool = False,
) -> Iterator[Event]:
    """Judge two avatars into `out/a` and `out/b`, and write `compare.html` and `compare.json` beside them.

    Of the same footage, the difference is drawn from the same frames; else only the two figures stand side by side.

    Raises:
        OutputError: `out` exists or cannot be written.
    """
    refuse_existing_folder(out)
    with atomic_path(out) as folder:
        folder.mkdir()
        a = yield from _judged(pairs[0], folder / SIDES[0], marking, true_torso)
        b = yield from _judged(pairs[1], folder / SIDES[1], marking, true_torso)
        differences = {} if not _same_footage(a, b) else _differences(a, b)
        (folder / "compare.json").write_text(json.dumps(_record(names, a, b, differences), indent=1) + "\n")
        (folder / "compare.html").write_text("\n".join(_page(names, a, b, differences)) + "\n")
    yield Wrote(out / "compare.html", "comparison")


def _judged(
    pair: tuple[Avatar, Performance], out: Path, marking: MarkConfig, true_torso: bool
) -> Generator[Event, None, Judgement]:
    events = judge(*pair, out, marking, true_torso)
    while True:
        try:
            event = next(events)
        except StopIteration as done:
            judged: Judgement = done.value
            return judged
        if not isinstance(event, Wrote):  # it lies in a folder that has another name when it is whole
            yield event


def _same_footage(a: Judgement, b: Judgement) -> bool:
    return a.performance.folder.resolve() == b.performance.folder.resolve()


def _differences(a: Judgement, b: Judgement) -> dict[str, dict[str, Figure]]:
    """By row and figure: b less a."""
    found: dict[str, dict[str, Figure]] = {}
    for row in a.rows:
        other = b.row(row.protocol)
        if other is not None:
            both = row.measured.keys() & other.measured.keys()
            found[row.protocol.value] = {name: difference(other.measured[name], row.measured[name]) for name in both}
    return found


def _record(
    names: tuple[str, str], a: Judgement, b: Judgement, differences: dict[str, dict[str, Figure]]
) -> dict[str, object]:
    def plain(f: Figure) -> dict[str, float | None]:
        return {k: v if math.isfinite(v) else None for k, v in asdict(f).items()}

    return {
        "a": {"name": names[0], "avatar": a.avatar.id, "cost": a.cost},
        "b": {"name": names[1], "avatar": b.avatar.id, "cost": b.cost},
        "b_less_a": {row: {name: plain(f) for name, f in figures.items()} for row, figures in differences.items()},
    }


def _page(
    names: tuple[str, str], a: Judgement, b: Judgement, differences: dict[str, dict[str, Figure]]
) -> Iterator[str]:
    first, second = (html.escape(name) for name in names)
    yield f"<!doctype html><meta charset='utf-8'><title>locutor: {first}, {second}</title><style>{STYLE}</style>"
    yield f"<h1>a: {first}<br>b: {second}</h1>"
    yield "<p>Bold: the interval of the difference (b less a, on the same frames) leaves zero out. "
    yield "<a href='a/report.html'>report of a</a>, <a href='b/report.html'>report of b</a>.</p>"
    costs = [f"{number(j.cost[name])}" for name in ("frames_per_s", "latency_ms", "peak_mb") for j in (a, b)]
    yield "<p>frames/s {} and {}; ms for a frame alone {} and {}; memory {} and {} MB.</p>".format(*costs)
    for row in a.rows:
        other = b.row(row.protocol)
        if other is None or row.protocol.kind != "protocol":
            continue
        yield f"<h2>{row.protocol.value}</h2><table><tr><th>figure</th><th>a</th><th>b</th><th>b less a</th>"
        yield "<th></th></tr>"
        for name in (n for group in GROUPS.values() for n in group if n in row.figures and n in other.figures):
            f = differences.get(row.protocol.value, {}).get(name)
            said = with_interval(f)
            clear = f is not None and f.low * f.high > 0
            yield (
                f"<tr><td>{title(name)}</td><td>{number(row.figures[name].value)}</td>"
                f"<td>{number(other.figures[name].value)}</td><td>{f'<b>{said}</b>' if clear else said}</td>"
                f"<td>{_verdict(name, f) if clear and f else ''}</td></tr>"
            )
        yield "</table>"


def _verdict(name: str, f: Figure) -> str:
    more = TITLES[name][1]
    return "" if more is None else "b is better" if (f.value > 0) == more else "a is better"

"""`report.html`: one file that needs no other. The summary first, then tables, plots, error maps, worst frames."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from locutor.core.clock import FPS
from locutor.evaluate.drawing import curves, error_map, film, intervals, picture
from locutor.evaluate.faults import find_faults
from locutor.evaluate.figure import Figure
from locutor.evaluate.protocols import HeldOut, Protocol
from locutor.evaluate.tables import VOICE_FOLDS
from locutor.evaluate.words import GROUPS, TITLES, number, percent, title, with_interval

if TYPE_CHECKING:
    from locutor.evaluate.judge import Judgement
    from locutor.evaluate.scoring import Row

STYLE = """body{font:15px/1.5 system-ui,sans-serif;max-width:1100px;margin:2rem auto;padding:0 1rem;color:#222}
table{border-collapse:collapse;display:block;overflow-x:auto}td,th{padding:.25rem .6rem;border-bottom:1px solid #ddd;
text-align:right;white-space:nowrap}td:first-child,th:first-child{text-align:left}small{color:#777;display:block}
tr.chance{color:#666}tr.ceiling{color:#15803d}figure{display:inline-block;margin:.2rem}img{width:250px;display:block}
figcaption{font-size:12px;color:#555}.wide,video{width:100%}.bad{color:#b91c1c}"""
SUMMARY = (
    "psnr",
    "psnr_face",
    "psnr_mouth",
    "ms_ssim",
    "sharpness_face",
    "lip_gap_correlation",
    "lip_distance_percent",
)
SHOWN = (  # whose pictures are shown
    Protocol.REPLAY,
    Protocol.REFINED,
    Protocol.VOICE,
)
PLOTTED = ("psnr_face", "psnr_mouth", "lip_gap_correlation", "lip_distance_percent", "timing_match")
N_WORST = 3


def write_report(path: Path, judged: Judgement, comparison: bytes) -> None:
    """Write the page; `comparison` is the film of truth, replay and voice side by side."""
    source = html.escape(judged.performance.meta.source)
    page = [
        f"<!doctype html><meta charset='utf-8'><title>locutor: {source}</title><style>{STYLE}</style>",
        f"<h1>{source}</h1>",
        *_summary(judged),
        film(comparison, "truth | replay | voice, with the sound"),
        *_tables(judged.rows),
        *_voice(judged),
        "<h2>Intervals</h2>",
        *_plots(judged.rows),
        "<h2>Lip gap</h2>",
        curves(_gaps(judged)),
        "<h2>Error of the face, dB, frame by frame</h2>",
        curves({r.protocol.value: r.measured["psnr_face"].columns[:, 0] for r in judged.rows if r.protocol in SHOWN}),
        "<h2>Where the error is</h2>",
        *(picture(error_map(r.error), f"{r.protocol.value}: mean absolute error")
          for r in judged.rows if r.protocol in SHOWN and r.error is not None),
        "<h2>Worst frames of the face in replay, then frames at even distances</h2>",
        *_frames(judged),
    ]  # fmt: skip
    path.write_text("\n".join(page) + "\n")


def _summary(judged: Judgement) -> Iterator[str]:
    provenance, quality, part = judged.avatar.provenance, judged.performance.meta.quality, judged.part
    yield (
        f"<p>{part.end - part.start} frames ({(part.end - part.start) / FPS:.1f} s) held out in time, never seen. "
        f"{provenance.iterations} iterations in {provenance.trained_s:.0f} s on {provenance.n_train_frames} frames; "
        f"{len(judged.avatar.canonical)} Gaussians. Head track: residual flow {quality.residual_flow_px:.2f} px per "
        "frame.</p>"
    )
    cost = judged.cost
    energy = f", {cost['joule']:.2f} J a frame" if cost.get("joule") is not None else ""
    yield (
        f"<p>Drawing: {cost['frames_per_s']:.0f} frames/s in films ({cost['threads']} threads), "
        f"{cost['latency_ms']:.1f} ms for a frame alone (95 %: {cost['latency_p95_ms']:.1f}), "
        f"{cost['peak_mb']:.0f} MB of memory{energy}.</p>"
    )
    told = [
        f"<li class='bad'>{html.escape(row.protocol.value)}: {html.escape(fault.said)}</li>"
        for row in judged.rows
        if row.protocol.kind == "protocol"
        for fault in find_faults(row.values)
    ]
    yield f"<ul>{''.join(told) or '<li>nothing stands out</li>'}</ul>"
    yield _table([row for row in judged.rows if row.protocol.is_aligned], SUMMARY, small=False)


def _tables(rows: Sequence[Row]) -> Iterator[str]:
    for group, names in GROUPS.items():
        with_it = [row for row in rows if any(name in row.figures for name in names)]
        if with_it:
            yield f"<h2>{group}</h2>"
            yield _table(with_it, names)
    yield "<p>Chance is grey, the ceiling green; below each figure its 95 % interval (blocks of frames redrawn).</p>"
    said = "".join(f"<dt>{r.protocol.value}</dt><dd>{html.escape(r.protocol.meaning)}</dd>" for r in rows)
    yield f"<dl>{said}</dl>"


def _table(rows: Sequence[Row], names: Sequence[str], small: bool = True) -> str:
    shown = [name for name in names if any(name in row.figures for row in rows)]
    head = "".join(f"<th>{title(name)}</th>" for name in shown)
    body = "".join(
        f"<tr class='{row.protocol.kind}'><td>{row.protocol.value}</td>"
        + "".join(f"<td>{_cell(row.figures.get(name), small)}</td>" for name in shown)
        + "</tr>"
        for row in rows
    )
    return f"<table><tr><th>row</th>{head}</tr>{body}</table>"


def _cell(f: Figure | None, small: bool) -> str:
    if f is None:
        return "-"
    return f"{number(f.value)}<small>{number(f.low)} .. {number(f.high)}, n {f.n}</small>" if small else number(f.value)


def _voice(judged: Judgement) -> Iterator[str]:
    if judged.voice is None:
        return
    voice = judged.voice
    yield f"<h2>{VOICE_FOLDS.capitalize()}</h2><p>Chance: the mean over rolls of the sound by a second and more, in a "
    yield "circle, and how many of the rolls do as well as the voice. Ceiling: the truth against itself.</p>"
    cells = "".join(
        f"<tr><td>{title(name)}</td>"
        + "".join(f"<td>{with_interval(part.get(name))}</td>" for part in (voice.voice, voice.chance, voice.ceiling))
        + f"<td>{percent(voice.as_good.get(name))}</td><td>{voice.voice[name].n}</td></tr>"
        for name in voice.voice
    )
    head = "".join(f"<th>{name}</th>" for name in ("figure", "voice", "chance", "ceiling", "rolls as good", "n"))
    yield f"<table><tr>{head}</tr>{cells}</table>"
    if voice.gap_in_silence is not None:
        yield f"<p>In digital silence the mouth stays open by {100 * voice.gap_in_silence:.0f} % of its range.</p>"


def _plots(rows: Sequence[Row]) -> Iterator[str]:
    for name in PLOTTED:
        bars = [(r.protocol.value, r.protocol.kind, r.figures[name]) for r in rows if name in r.figures]
        if bars:
            better = {True: "more is better", False: "less is better", None: ""}[TITLES[name][1]]
            yield f"<h3>{title(name)} <small>{better}</small></h3>{intervals(bars)}"


def _gaps(judged: Judgement) -> Mapping[str, np.ndarray]:
    lines = {"truth": judged.truth.gap}
    shown = (*SHOWN, Protocol.FREE)
    return lines | {r.protocol.value: r.gap for r in judged.rows if r.protocol in shown and len(r.gap)}


def worst_frames(replay: Row, part: HeldOut) -> list[int]:
    """Frames of the footage whose face is furthest from the truth."""
    return [part.start + int(k) for k in np.argsort(replay.measured["psnr_face"].columns[:, 0])[:N_WORST]]


def _frames(judged: Judgement) -> Iterator[str]:
    rows = [row for row in judged.rows if row.protocol in SHOWN]
    replay = next(row for row in rows if row.protocol == Protocol.REPLAY)
    error = replay.measured["psnr_face"].columns[:, 0]
    for k in sorted(replay.samples, key=lambda k: (k not in worst_frames(replay, judged.part), k)):
        truth = judged.performance.frames.rgb(k)
        off = np.abs(truth.astype(np.float32) - replay.samples[k]).mean(2)
        yield f"<h3>frame {k}, face {error[k - judged.part.start]:.1f} dB</h3>"
        yield picture(truth, "truth")
        yield from (picture(row.samples[k], row.protocol.value) for row in rows if k in row.samples)
        yield picture(error_map(off), "error of replay")

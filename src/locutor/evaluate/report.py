"""`report.html`: one file with the table, the curves and frames side by side."""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import UInt8
from numpy import ndarray

from locutor.avatar.avatar import Avatar
from locutor.capture.performance import Performance
from locutor.core.clock import FPS
from locutor.evaluate.metrics import lip_gap
from locutor.evaluate.protocols import HeldOut
from locutor.media.pictures import encode_jpeg

if TYPE_CHECKING:
    from locutor.evaluate.judge import Row

COLUMNS = {
    "psnr": "PSNR frame, dB",
    "ssim": "SSIM",
    "psnr_face": "PSNR face",
    "psnr_mouth": "PSNR mouth",
    "psnr_person": "PSNR person",
    "psnr_skin": "PSNR skin",
    "sharpness_face": "sharpness face",
    "sharpness_mouth": "sharpness mouth",
    "sharpness_hair": "sharpness hair",
    "flicker_background": "flicker background",
    "flicker_torso": "flicker torso",
    "lip_distance_px": "lip distance, px",
    "lip_gap_correlation": "lip-gap r",
    "lip_gap_lag_frames": "lag, frames",
    "blinks_closed": "blinks closed",
}
CLIPS = ("truth", "refined", "replay", "voice")  # what a video is written of
COLOURS = {"truth": "#111", "refined": "#15803d", "replay": "#1769aa", "voice": "#c2410c"}
ERROR_GAIN = 4
STYLE = """body{font:15px/1.5 system-ui,sans-serif;max-width:1100px;margin:2rem auto;padding:0 1rem;color:#222}
table{border-collapse:collapse}td,th{padding:.25rem .7rem;border-bottom:1px solid #ddd;text-align:right}
td:first-child,th:first-child{text-align:left}figure{display:inline-block;margin:.2rem}img{width:250px;display:block}
figcaption{font-size:12px;color:#555}video{width:330px}"""


@dataclass(frozen=True)
class Sample:
    """One held-out frame as every row shows it."""

    k: int
    pictures: dict[str, UInt8[ndarray, "H W 3"]]


def write_report(
    path: Path,
    avatar: Avatar,
    performance: Performance,
    part: HeldOut,
    samples: Sequence[Sample],
    rows: Sequence[Row],
    voice: dict[str, Any],
) -> None:
    """Write the page; pictures are inside, the videos are linked beside it."""
    source = html.escape(performance.meta.source)
    quality = performance.meta.quality
    clips = [name for name in CLIPS if (path.parent / f"{name}.mp4").exists()]
    page = [
        f"<!doctype html><meta charset='utf-8'><title>locutor: {source}</title><style>{STYLE}</style>",
        f"<h1>{source}</h1>",
        f"<p>{part.end - part.start} frames ({(part.end - part.start) / FPS:.1f} s) held out in time, never seen. "
        f"{avatar.provenance.iterations} iterations in {avatar.provenance.trained_s:.0f} s on "
        f"{avatar.provenance.n_train_frames} frames; {len(avatar.canonical)} Gaussians. Head track: "
        f"residual flow {quality.residual_flow_px:.2f} px per frame.</p>",
        _table(rows),
        "<p><b>replay</b>: tracked expression and pose. <b>refined</b>: the same with head and torso poses refined by "
        "the avatar, the mouth masked out. <b>voice</b>: the sound drives the mouth, pose and eyes are "
        "tracked. <b>person</b>: by the matte; <b>skin</b>: the person inside the hull of the face's landmarks; "
        "<b>sharpness</b>: gradient energy, and <b>flicker</b>: second difference in time, as shares "
        "of the truth's. Chance: <b>static head</b>, <b>mean frame</b>. Ceiling: <b>truth through the codec</b>.</p>",
        _voice(voice),
        "<h2>Lip gap</h2>",
        _curves(performance, part, rows),
        "<h2>Videos</h2>",
        "".join(f"<figure><video src='{c}.mp4' controls></video><figcaption>{c}</figcaption></figure>" for c in clips),
        "<h2>Frames</h2>",
        *(_strip(sample, performance) for sample in samples),
    ]
    path.write_text("\n".join(page) + "\n")


def _table(rows: Sequence[Row]) -> str:
    head = "".join(f"<th>{title}</th>" for title in COLUMNS.values())
    body = "".join(
        f"<tr><td>{row.name}</td>" + "".join(f"<td>{_number(row.figures.get(key))}</td>" for key in COLUMNS) + "</tr>"
        for row in rows
    )
    return f"<table><tr><th>row</th>{head}</tr>{body}</table>"


def _number(value: float | None) -> str:
    return (
        "-"
        if value is None
        else f"{value:d}"
        if isinstance(value, int)
        else f"{value:.3g}"
        if value < 10
        else f"{value:.1f}"
    )


def _voice(voice: dict[str, Any]) -> str:
    if not voice:
        return ""
    cells = "".join(
        f"<tr><td>{html.escape(key.replace('_', ' '))}</td><td>{value}</td></tr>" for key, value in voice.items()
    )
    return f"<h2>Voice, blocked five-fold over the whole clip</h2><table>{cells}</table>"


def _curves(performance: Performance, part: HeldOut, rows: Sequence[Row]) -> str:
    curves = {"truth": lip_gap(performance.tracking.landmarks[part.start : part.end])}
    curves |= {row.name: np.array(row.gap) for row in rows if row.name in COLOURS and row.gap}
    top = max(float(np.nanmax(curve)) for curve in curves.values()) or 1.0
    width, height, n = 1000, 200, part.end - part.start
    lines = []
    for name, curve in curves.items():
        points = " ".join(
            f"{i * width / n:.1f},{height - 10 - (height - 20) * g / top:.1f}" for i, g in enumerate(curve) if g == g
        )
        lines.append(f"<polyline points='{points}' fill='none' stroke='{COLOURS[name]}' stroke-width='1.5'/>")
    legend = "".join(f"<text x='{10 + 90 * i}' y='16' fill='{COLOURS[c]}'>{c}</text>" for i, c in enumerate(curves))
    return f"<svg viewBox='0 0 {width} {height}' width='100%'>{''.join(lines)}{legend}</svg>"


def _strip(sample: Sample, performance: Performance) -> str:
    truth = performance.frames.rgb(sample.k)
    pictures = {"truth": truth}
    for name in ("refined", "replay", "voice"):
        if name in sample.pictures:
            pictures[name] = sample.pictures[name]
    error = np.abs(truth.astype(np.int16) - sample.pictures["replay"].astype(np.int16))
    pictures[f"error of replay x{ERROR_GAIN}"] = np.clip(ERROR_GAIN * error, 0, 255).astype(np.uint8)
    figures = "".join(
        f"<figure><img src='data:image/jpeg;base64,{_jpeg(rgb)}'><figcaption>{name}</figcaption></figure>"
        for name, rgb in pictures.items()
    )
    return f"<h3>frame {sample.k}</h3>{figures}"


def _jpeg(rgb: UInt8[ndarray, "H W 3"]) -> str:
    return base64.b64encode(encode_jpeg(rgb, 90)).decode()

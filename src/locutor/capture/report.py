"""`capture.html` and `capture.json`: the verdict, the figures, a contact sheet, the plots."""

from __future__ import annotations

import base64
import dataclasses
import html
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import Float, UInt8
from numpy import ndarray

from locutor.capture.charts import line_chart
from locutor.capture.examine import FootageFigures, head_turns_deg, lip_gap
from locutor.capture.head import HeadTrack
from locutor.capture.image_store import ImageStore
from locutor.capture.observe import Observations
from locutor.capture.performance import FRAMES, Tracking
from locutor.capture.torso import TorsoTrack
from locutor.capture.verdict import Grade, Verdict
from locutor.core.camera import Camera
from locutor.core.clock import FPS
from locutor.core.files import atomic_path
from locutor.geometry.rotation import matrix_from_wxyz
from locutor.media.pictures import encode_jpeg

PAGE, RECORD = "capture.html", "capture.json"
N_PICTURES, PICTURE_PX = 12, 260
COLOURS = {Grade.GOOD: "#15803d", Grade.USABLE: "#b45309", Grade.UNUSABLE: "#b91c1c"}
AXES = (((220, 40, 40), (0.5, 0, 0)), ((40, 170, 60), (0, 0.5, 0)), ((50, 90, 230), (0, 0, -0.7)))
STYLE = """body{font:15px/1.5 system-ui,sans-serif;max-width:1100px;margin:2rem auto;padding:0 1rem;color:#222}
table{border-collapse:collapse}td,th{padding:.2rem .7rem;border-bottom:1px solid #ddd;text-align:left}
img{margin:2px}h1 b{color:#fff;padding:.1em .5em;border-radius:.3em}"""


def write_report(
    folder: Path,
    source: str,
    figures: FootageFigures,
    verdict: Verdict,
    seen: Observations,
    tracking: Tracking,
    head: HeadTrack,
    torso: TorsoTrack,
    camera: Camera,
) -> None:
    """Write both files into the performance folder; the page needs nothing beside it."""
    record = {
        "source": source,
        "verdict": verdict.grade,
        "findings": [dataclasses.asdict(finding) for finding in verdict.findings],
        "figures": dataclasses.asdict(figures) | {"mouth_shapes_covered": figures.n_shapes},
    }
    with atomic_path(folder / RECORD) as part:
        part.write_text(json.dumps(_finite(record), indent=1) + "\n")
    frames = ImageStore(folder / FRAMES)
    shown = np.linspace(0, len(frames) - 1, N_PICTURES).astype(int)
    page = [
        f"<!doctype html><meta charset='utf-8'><title>capture of {html.escape(source)}</title><style>{STYLE}</style>",
        f"<h1>{html.escape(source)} <b style='background:{COLOURS[verdict.grade]}'>{verdict.grade}</b></h1>",
        _findings(verdict),
        "<h2>Contact sheet</h2>",
        *(_picture(frames.rgb(int(k)), int(k), tracking, camera) for k in shown),
        "<p>Dots: landmarks. Lines: the head frame (red right, green down, blue towards the camera).</p>",
        *_charts(seen, tracking, head, torso),
        "<h2>Figures</h2>",
        _table(record["figures"]),  # type: ignore[arg-type]
    ]
    with atomic_path(folder / PAGE) as part:
        part.write_text("\n".join(page) + "\n")


def _findings(verdict: Verdict) -> str:
    if not verdict.findings:
        return "<p>Nothing is wrong with this footage.</p>"
    rows = "".join(
        f"<tr><td style='color:{COLOURS[f.grade]}'>{'note' if f.grade == Grade.GOOD else f.grade}</td>"
        f"<td>{html.escape(f.what)}</td><td>{html.escape(f.do)}</td></tr>"
        for f in verdict.findings
    )
    return f"<table><tr><th></th><th>what was found</th><th>what to do</th></tr>{rows}</table>"


def _picture(rgb: UInt8[ndarray, "H W 3"], k: int, tracking: Tracking, camera: Camera) -> str:
    """A frame with what was found in it."""
    image = rgb.copy()
    for x, y in tracking.landmarks[k, :, :2]:
        cv2.circle(image, (int(x), int(y)), 1, (255, 230, 90), -1)
    wxyz, xyz = tracking.motion.require("head_wxyz", "head_xyz")
    R = matrix_from_wxyz(wxyz[k].astype(np.float64))
    for colour, tip in AXES:
        ends = camera.project(np.array([xyz[k], xyz[k] + R @ np.array(tip)], np.float64))
        (x0, y0), (x1, y1) = ends.round().astype(int).tolist()
        cv2.line(image, (x0, y0), (x1, y1), colour, 2, cv2.LINE_AA)
    small = cv2.resize(image, (PICTURE_PX, PICTURE_PX), interpolation=cv2.INTER_AREA)
    cv2.putText(small, f"{k / FPS:.1f} s", (6, 16), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (255, 255, 255), 1, cv2.LINE_AA)
    return f"<img src='data:image/jpeg;base64,{base64.b64encode(encode_jpeg(small, 85)).decode()}'>"


def _charts(seen: Observations, tracking: Tracking, head: HeadTrack, torso: TorsoTrack) -> list[str]:
    length_s = len(seen) / FPS
    turns = head_turns_deg(tracking.motion)
    names = ("nod", "turn", "tilt")
    gap = np.where(seen.observed, lip_gap(tracking), np.nan)
    curves: list[tuple[str, dict[str, Float[ndarray, " T"]]]] = [
        ("head, degrees", {name: turns[:, axis] for axis, name in enumerate(names)}),
        (
            "residual flow on points that the fit did not use, px per frame",
            {"detector frame by frame": head.raw_series_px, "track": head.residual_series_px},
        ),
        ("patches of the upper face: share that looks as in the keyframe", {"": head.alike_share}),
        ("opening of the lips, inter-ocular units", {"gap": gap}),
        ("shoulders: share that agrees", {"inliers": torso.inlier_share}),
        ("sharpness of the face", {"": np.where(seen.observed, seen.rows["look"][:, 0], np.nan)}),
    ]
    return ["<h2>Plots</h2>", *(line_chart(title, lines, length_s) for title, lines in curves)]


def _table(figures: dict[str, Any], prefix: str = "") -> str:
    rows = []
    for name, value in figures.items():
        if isinstance(value, dict):
            rows += [
                f"<tr><td>{name.replace('_', ' ')}: {html.escape(k)}</td><td>{v}</td></tr>" for k, v in value.items()
            ]
        else:
            rows.append(f"<tr><td>{name.replace('_', ' ')}</td><td>{html.escape(str(value))}</td></tr>")
    return f"<table>{''.join(rows)}</table>"


def _finite(value: Any) -> Any:
    """JSON has no nan."""
    if isinstance(value, dict):
        return {name: _finite(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value

"""Plots of a report as SVG, and its pictures as data."""

from __future__ import annotations

import base64
import html
import math
from collections.abc import Mapping, Sequence

import cv2
import numpy as np
from jaxtyping import Float, Float32, UInt8
from numpy import ndarray

from locutor.evaluate.figure import Figure
from locutor.evaluate.words import number
from locutor.media.pictures import encode_jpeg

COLOURS = {
    "truth": "#111", "refined": "#15803d", "replay": "#1769aa", "voice": "#c2410c", "free": "#7c3aed",
    "protocol": "#1769aa", "chance": "#9ca3af", "ceiling": "#15803d",
}  # fmt: skip
MOST_ERROR = 40.0  # grey levels that an error map shows as its last colour


def curves(lines: Mapping[str, Float[ndarray, " T"]], height: int = 180) -> str:
    """Signals over the same frames; gaps where a value is not a number."""
    width, n = 1000, max(len(line) for line in lines.values())
    top = max((float(np.nanmax(line)) for line in lines.values() if np.isfinite(line).any()), default=1.0)
    low = min((float(np.nanmin(line)) for line in lines.values() if np.isfinite(line).any()), default=0.0)
    scale = (height - 30) / max(top - low, 1e-9)
    drawn = []
    for name, line in lines.items():
        points = " ".join(f"{k * width / n:.1f},{height - 8 - scale * (v - low):.1f}"
                          for k, v in enumerate(line) if math.isfinite(v))  # fmt: skip
        drawn.append(f"<polyline points='{points}' fill='none' stroke='{COLOURS.get(name, '#888')}'/>")
    legend = "".join(f"<text x='{8 + 110 * k}' y='14' fill='{COLOURS.get(name, '#888')}'>{html.escape(name)}</text>"
                     for k, name in enumerate(lines))  # fmt: skip
    return f"<svg viewBox='0 0 {width} {height}' width='100%' stroke-width='1.5'>{''.join(drawn)}{legend}</svg>"


def intervals(rows: Sequence[tuple[str, str, Figure]]) -> str:
    """A bar from low to high with a dot at the value per row: (name, kind, figure)."""
    known = [(name, kind, f) for name, kind, f in rows if math.isfinite(f.value)]
    ends = [x for _, _, f in known for x in (f.value, f.low, f.high) if math.isfinite(x)]
    if not ends:
        return ""
    low, high = min(0.0, *ends), max(*ends, 1e-9)
    left, width, step = 190, 560, 18

    def place(x: float) -> float:
        return left + width * (x - low) / max(high - low, 1e-9)

    drawn = []
    for k, (name, kind, f) in enumerate(known):
        y, colour = 12 + step * k, COLOURS[kind]
        bar = [place(x if math.isfinite(x) else f.value) for x in (f.low, f.high)]
        drawn.append(
            f"<text x='0' y='{y + 4}'>{html.escape(name)}</text><line x1='{bar[0]:.1f}' x2='{bar[1]:.1f}' y1='{y}'"
            f" y2='{y}' stroke='{colour}' stroke-width='5' stroke-opacity='.45'/><circle cx='{place(f.value):.1f}'"
            f" cy='{y}' r='4' fill='{colour}'/><text x='{left + width + 12}' y='{y + 4}'>{number(f.value)}</text>"
        )
    return f"<svg viewBox='0 0 820 {step * len(known) + 8}' width='100%' font-size='12'>{''.join(drawn)}</svg>"


def error_map(error: Float32[ndarray, "H W"]) -> UInt8[ndarray, "H W 3"]:
    """Mean absolute error, 0 to `MOST_ERROR` grey levels, as colours from dark to bright."""
    grey = np.clip(255 * error / MOST_ERROR, 0, 255).astype(np.uint8)
    return np.ascontiguousarray(cv2.applyColorMap(grey, cv2.COLORMAP_INFERNO)[..., ::-1])


def picture(rgb: UInt8[ndarray, "H W 3"], caption: str) -> str:
    """A figure with its data inside."""
    data = base64.b64encode(encode_jpeg(rgb, 88)).decode()
    return f"<figure><img src='data:image/jpeg;base64,{data}'><figcaption>{html.escape(caption)}</figcaption></figure>"


def film(mp4: bytes, caption: str) -> str:
    """A video with its data inside."""
    data = base64.b64encode(mp4).decode()
    return (
        f"<figure class='wide'><video controls src='data:video/mp4;base64,{data}'></video>"
        f"<figcaption>{html.escape(caption)}</figcaption></figure>"
    )

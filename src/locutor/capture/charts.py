"""Small charts in SVG."""

import html
from collections.abc import Mapping

import numpy as np
from jaxtyping import Float
from numpy import ndarray

COLOURS = ("#1769aa", "#c2410c", "#15803d", "#6d28d9")
_WIDTH, _HEIGHT, _LEFT, _BOTTOM = 1000, 170, 46, 20
_MOST_POINTS = 1500


def line_chart(title: str, curves: Mapping[str, Float[ndarray, " T"]], length_s: float) -> str:
    """Curves over time; values that are not finite are gaps."""
    known = np.concatenate([values[np.isfinite(values)] for values in curves.values()])
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
    high = high if high > low else low + 1
    parts = [f"<text x='{_LEFT}' y='12' font-weight='bold'>{html.escape(title)}</text>"]
    for share in (0.0, 0.5, 1.0):
        y = _y(low + share * (high - low), low, high)
        parts.append(f"<line x1='{_LEFT}' x2='{_WIDTH}' y1='{y:.1f}' y2='{y:.1f}' stroke='#ddd'/>")
        parts.append(f"<text x='0' y='{y + 4:.1f}'>{low + share * (high - low):.3g}</text>")
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        x = _LEFT + share * (_WIDTH - _LEFT - 30)
        parts.append(f"<text x='{x:.0f}' y='{_HEIGHT - 2}'>{share * length_s:.0f} s</text>")
    for i, (name, values) in enumerate(curves.items()):
        colour = COLOURS[i % len(COLOURS)]
        parts += [f"<polyline points='{points}' fill='none' stroke='{colour}'/>" for points in _runs(values, low, high)]
        parts.append(f"<text x='{_LEFT + 400 + 170 * i}' y='12' fill='{colour}'>{html.escape(name)}</text>")
    return f"<svg viewBox='0 0 {_WIDTH} {_HEIGHT}' width='100%' font-size='12'>{''.join(parts)}</svg>"


def _y(value: float, low: float, high: float) -> float:
    return _HEIGHT - _BOTTOM - (_HEIGHT - _BOTTOM - 22) * (value - low) / (high - low)


def _runs(values: Float[ndarray, " T"], low: float, high: float) -> list[str]:
    """Points of each stretch without gaps."""
    step = max(1, len(values) // _MOST_POINTS)
    runs: list[list[str]] = [[]]
    for t in range(0, len(values), step):
        if np.isfinite(values[t]):
            x = _LEFT + t * (_WIDTH - _LEFT) / max(len(values) - 1, 1)
            runs[-1].append(f"{x:.1f},{_y(float(values[t]), low, high):.1f}")
        elif runs[-1]:
            runs.append([])
    return [" ".join(run) for run in runs if len(run) > 1]

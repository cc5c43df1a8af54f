"""What is plainly wrong with a row, by family: each family looks at one thing and is silent about the others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

LATE = 3  # frames; people notice sound that is early or late by more (ITU-R BT.1359)


@dataclass(frozen=True)
class Fault:
    """Something a viewer would notice.

    Attributes:
        family: what it is a fault of.
        said: in words, with the figure.
    """

    family: str
    said: str


Figures = Mapping[str, float]


def _still(f: Figures) -> str:
    spread = f.get("lip_spread_share", 1.0)
    return f"the mouth hardly moves: {100 * spread:.0f} % of the true spread" if spread < 0.3 else ""


def _wide(f: Figures) -> str:
    spread = f.get("lip_spread_share", 1.0)
    return f"the mouth opens too far: {100 * spread:.0f} % of the true spread" if spread > 1.6 else ""


def _late(f: Figures) -> str:
    lag, alike = f.get("lip_gap_lag_frames", 0.0), f.get("lip_gap_correlation_at_lag", 0.0)
    told = alike > 0.5 and alike > f.get("lip_gap_correlation", 0.0) + 0.1  # else the lag is that of noise
    return f"the lips come {lag:+.0f} frames late" if told and abs(lag) >= LATE else ""


def _trembling(f: Figures) -> str:
    jitter = f.get("head_jitter_share", 1.0)
    return f"the head trembles: {jitter:.1f} times the true second difference" if jitter > 1.8 else ""


def _blurred(f: Figures) -> str:
    sharp = f.get("sharpness_face", 1.0)
    return f"the face is blurred: {100 * sharp:.0f} % of the true gradient energy" if sharp < 0.45 else ""


FAMILIES: dict[str, Callable[[Figures], str]] = {
    "lip movement": _still,
    "lip opening": _wide,
    "lip timing": _late,
    "steadiness": _trembling,
    "sharpness": _blurred,
}


def find_faults(figures: Figures) -> list[Fault]:
    """All that stands out in a row's figures (values by name); figures that are missing accuse nobody."""
    known = {name: value for name, value in figures.items() if value == value}
    return [Fault(family, said) for family, look in FAMILIES.items() if (said := look(known))]

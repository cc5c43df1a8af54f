"""What the order of the frames tells: cuts, another person, still pictures, a face that is lost."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
from jaxtyping import Bool
from numpy import ndarray

from locutor.capture.image_store import ImageStore
from locutor.capture.likeness import likeness, mean_look
from locutor.capture.observe import Observations
from locutor.core.clock import FPS
from locutor.core.errors import FootageError
from locutor.core.events import Event, Warned

MIN_FRAMES = 70
MAX_MISSING_SHARE = 0.2
CUT_LEVELS = 18.0  # grey levels by which the small picture changes at a cut, on average
CUT_TIMES = 6.0  # and by how much more than it does between the frames around
SAME_PERSON = 0.68  # likeness; one person stays above .74 within a clip, two people below .64 (seven people)
STILL_LEVELS = 0.12  # grey levels per frame below which nothing moves
_AROUND = 12  # frames
_LOOKS = 8  # frames of a shot to look at


def find_cuts(seen: Observations) -> list[int]:
    """Frames with which a new shot begins."""
    thumbs = seen.rows["thumb"].astype(np.float32)
    change = np.abs(np.diff(thumbs, axis=0)).mean(axis=(1, 2))
    cuts: list[int] = []
    for t in np.flatnonzero(change > CUT_LEVELS):
        around = np.concatenate([change[max(t - _AROUND, 0) : t], change[t + 1 : t + _AROUND + 1]])
        if change[t] > CUT_TIMES * (np.median(around) + 0.5):
            cuts.append(int(t) + 1)
    return cuts


def check_footage(film: Path, seen: Observations, cuts: list[int], frames: ImageStore) -> Iterator[Event]:
    """Refuse what nothing can be learnt from; warn of what can be borne.

    Raises:
        FootageError: too short, the face missing too often, a still picture, or a cut to another person.
    """
    n_frames, observed = len(seen), seen.observed
    if n_frames < MIN_FRAMES:
        raise FootageError(
            f"{film} is only {n_frames / FPS:.1f} s long", f"use at least {MIN_FRAMES / FPS:.0f} s, better 30 s"
        )
    missing = np.flatnonzero(~observed)
    if len(missing) > MAX_MISSING_SHARE * n_frames:
        raise FootageError(
            f"no face in {len(missing)} of {n_frames} frames of {film} (first at {missing[0] / FPS:.1f} s)",
            "trim the film to the part where the face is seen (--start, --end)",
        )
    other = _other_person(seen, cuts, frames)
    if other is not None:
        raise FootageError(
            f"{film} cuts to another person at {other / FPS:.1f} s of the captured part",
            "use a part with one person (--start, --end)",
        )
    if _is_still(seen):
        raise FootageError(f"{film} shows a still picture: nothing in it moves", "use a film of a person who talks")
    if len(missing):
        first, length = longest_gap(observed)
        yield Warned(
            f"no face in {len(missing)} frames; the longest gap is {length / FPS:.1f} s at {first / FPS:.1f} s; "
            "they are filled in and not learnt from"
        )
    if cuts:
        places = ", ".join(f"{cut / FPS:.1f} s" for cut in cuts[:5])
        yield Warned(f"{len(cuts)} cuts within the film ({places}): the head is tracked in each part by itself")


def longest_gap(observed: Bool[ndarray, " T"]) -> tuple[int, int]:
    """First frame and length of the longest run without a face."""
    edges = np.diff(np.concatenate([[0], ~observed, [0]]).astype(int))
    starts, ends = np.flatnonzero(edges > 0), np.flatnonzero(edges < 0)
    if not len(starts):
        return 0, 0
    longest = int(np.argmax(ends - starts))
    return int(starts[longest]), int(ends[longest] - starts[longest])


def _other_person(seen: Observations, cuts: list[int], frames: ImageStore) -> int | None:
    """The first cut after which the face looks like another one than before all cuts."""
    if not cuts:
        return None
    bounds, first = [0, *cuts, len(seen)], None
    for start, end in pairwise(bounds):
        shown = np.flatnonzero(seen.observed[start:end]) + start
        if len(shown) < _LOOKS:
            continue
        chosen = shown[np.linspace(0, len(shown) - 1, _LOOKS).astype(int)]
        look = mean_look((frames.grey(int(k)), seen.landmarks[k]) for k in chosen)
        if first is None:
            first = look
        elif likeness(first, look) < SAME_PERSON:
            return start
    return None


def _is_still(seen: Observations) -> bool:
    """Neither the picture nor the face moves in nearly all frames."""
    thumbs = seen.rows["thumb"].astype(np.float32)
    change = np.abs(thumbs - np.median(thumbs, axis=0)).mean(axis=(1, 2))
    points = seen.landmarks[seen.observed][:, :468, :2]
    strays = np.median(np.abs(points - np.median(points, axis=0)).max(axis=(1, 2)))
    height = np.ptp(points[..., 1], axis=1).mean()
    return bool(np.percentile(change, 90) < STILL_LEVELS and strays < 0.01 * height)

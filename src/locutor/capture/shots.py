"""What the order of the frames tells: cuts, another person, still pictures, a face that is lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray

from locutor.capture.observe import Observations
from locutor.core.clock import FPS
from locutor.core.errors import FootageError
from locutor.core.events import Event, Warned
from locutor.core.face import OUTER_EYE_CORNERS, RIGID
from locutor.geometry.similarity import fit_similarity

MIN_FRAMES = 70
MAX_MISSING_SHARE = 0.2
LONG_GAP = 25  # frames
CUT_LEVELS = 18.0  # grey levels by which the small picture changes at a cut, on average
CUT_TIMES = 6.0  # and by how much more than it does between the frames around
OTHER_PERSON = 0.045  # inter-ocular units by which the rigid points of two people differ, RMS
STILL_LEVELS = 0.12  # grey levels per frame below which nothing moves
_AROUND = 12  # frames


def find_cuts(seen: Observations) -> list[int]:
    """Frames with which a new shot begins."""
    thumbs = seen.rows["thumb"].astype(np.float32)
    change = np.abs(np.diff(thumbs, axis=0)).mean(axis=(1, 2))
    cuts: list[int] = []
    for t in np.flatnonzero(change > CUT_LEVELS):
        around = np.delete(change[max(t - _AROUND, 0) : t + _AROUND + 1], min(t, _AROUND))
        if change[t] > CUT_TIMES * (np.median(around) + 0.5):
            cuts.append(int(t) + 1)
    return cuts


def check_footage(film: Path, seen: Observations, cuts: list[int]) -> Iterator[Event]:
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
    other = _other_person(seen, cuts)
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


def shape_distance(a: Float[ndarray, "N 478 3"], b: Float[ndarray, "M 478 3"]) -> float:
    """How much the rigid points of two faces differ, RMS in inter-ocular units, apart from place, turn and size."""
    first, second = _mean_shape(a), _mean_shape(b)
    corners = [RIGID.index(p) for p in OUTER_EYE_CORNERS]
    moved = fit_similarity(second, first).apply(second)
    unit = np.linalg.norm(first[corners[0]] - first[corners[1]])
    return float(np.sqrt(((moved - first) ** 2).sum(1).mean()) / unit)


def _mean_shape(landmarks: Float[ndarray, "N 478 3"]) -> Float[ndarray, "M 3"]:
    points = landmarks[:, RIGID].astype(np.float64)
    shape = points[len(points) // 2]
    for _ in range(2):
        shape = np.median([fit_similarity(frame, shape).apply(frame) for frame in points], axis=0)
    return shape


def _other_person(seen: Observations, cuts: list[int]) -> int | None:
    """The first cut after which the face has another shape."""
    bounds = [0, *cuts, len(seen)]
    shots = [np.flatnonzero(seen.observed[a:b]) + a for a, b in zip(bounds, bounds[1:], strict=False)]
    first = seen.landmarks[shots[0][:: max(1, len(shots[0]) // 50)]]
    for cut, frames in zip(cuts, shots[1:], strict=True):
        if len(first) and len(frames) >= _AROUND:
            if shape_distance(first, seen.landmarks[frames[:: max(1, len(frames) // 50)]]) > OTHER_PERSON:
                return cut
        elif not len(first):
            first = seen.landmarks[frames]
    return None


def _is_still(seen: Observations) -> bool:
    """Neither the picture nor the face moves in nearly all frames."""
    thumbs = seen.rows["thumb"].astype(np.float32)
    change = np.abs(thumbs - np.median(thumbs, axis=0)).mean(axis=(1, 2))
    points = seen.landmarks[seen.observed][:, :468, :2]
    strays = np.median(np.abs(points - np.median(points, axis=0)).max(axis=(1, 2)))
    height = np.ptp(points[..., 1], axis=1).mean()
    return bool(np.percentile(change, 90) < STILL_LEVELS and strays < 0.01 * height)

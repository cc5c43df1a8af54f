"""`locutor eval`: renders the held-out part under each protocol and scores it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, UInt8
from numpy import ndarray

from locutor.avatar.avatar import Avatar
from locutor.avatar.marking import mark_of
from locutor.capture.detect import FaceLandmarker
from locutor.capture.performance import Performance
from locutor.capture.regions import find_regions
from locutor.core.errors import MissingPartError, ModelFileError
from locutor.core.events import Event, Progress, Warned, Wrote
from locutor.core.files import atomic_path, refuse_existing_folder
from locutor.core.motion import Motion
from locutor.evaluate.detail import DetailMeter, closed_blinks, eye_openings
from locutor.evaluate.masks import find_masks
from locutor.evaluate.metrics import (
    ImageFigures,
    best_lag,
    compare_images,
    correlation,
    eye_distance_px,
    lip_distance_px,
    lip_gap,
    mean_figures,
)
from locutor.evaluate.protocols import (
    HeldOut,
    held_out,
    mean_frame,
    read_clip,
    replayed,
    static_head,
    truth_frames,
    with_mouth,
    with_refined_poses,
    write_clip,
)
from locutor.evaluate.report import CLIPS, Sample, write_report
from locutor.evaluate.voice_folds import heard_mouth, score_voice
from locutor.provenance.config import MARKED, MarkConfig

STAGE = "judging"
N_SAMPLES = 6  # frames shown in the report

Frames = Callable[[], Iterator[UInt8[ndarray, "H W 3"]]]


@dataclass
class Row:
    """One line of the table: a way to make the held-out frames, scored against them.

    Attributes:
        name: of the row.
        figures: by name; lip figures are missing where faces cannot be tracked.
        gap: lip gap per frame as tracked in the rendered frames.
        samples: some of the frames, for the report.
    """

    name: str
    figures: dict[str, float]
    gap: list[float] = field(default_factory=list)
    samples: dict[int, UInt8[ndarray, "H W 3"]] = field(default_factory=dict)


def judge(avatar: Avatar, performance: Performance, out: Path, marking: MarkConfig = MARKED) -> Iterator[Event]:
    """Score an avatar on footage it never saw; writes videos, `metrics.json` and `report.html` into `out`.

    Raises:
        OutputError: `out` exists or cannot be written.
    """
    refuse_existing_folder(out)
    started = time.monotonic()
    part = held_out(performance)
    size = performance.camera.width
    landmarker, why_not = _landmarker()
    if landmarker is None:
        yield Warned(f"lip figures are left out: {why_not}")
    with atomic_path(out) as folder:
        folder.mkdir()
        refined = yield from with_refined_poses(avatar, performance, part)
        ways = _ways(avatar, performance, part, refined)
        rows: list[Row] = []
        for name in CLIPS:
            if name in ways:
                mark = None if name == "truth" else mark_of(avatar, marking)
                write_clip(folder / f"{name}.mp4", ways[name](), part.sound, size, mark)
        ways["truth through the codec"] = lambda: read_clip(folder / "truth.mp4")
        for place, name in enumerate(n for n in _ORDER if n in ways):
            yield Progress(STAGE, place, len(ways) + 1, time.monotonic() - started, name)
            rows.append(_score(name, ways[name](), performance, part, landmarker))
        yield Progress(STAGE, len(ways), len(ways) + 1, time.monotonic() - started, "five-fold voice")
        voice = score_voice(avatar, performance) if avatar.voice else {}
        _write_metrics(folder / "metrics.json", avatar, performance, part, rows, voice)
        write_report(folder / "report.html", avatar, performance, part, _samples(rows, part), rows, voice)
        yield Progress(STAGE, len(ways) + 1, len(ways) + 1, time.monotonic() - started)
    if landmarker is not None:
        landmarker.close()
    yield Wrote(out / "report.html", "report")


_ORDER = ("truth through the codec", "refined", "replay", "voice", "static head", "mean frame")


def _landmarker() -> tuple[FaceLandmarker | None, str]:
    try:
        return FaceLandmarker(max_faces=1), ""
    except (ModelFileError, MissingPartError) as error:
        return None, error.what


def _ways(avatar: Avatar, performance: Performance, part: HeldOut, refined: Motion) -> dict[str, Frames]:
    ways: dict[str, Frames] = {
        "truth": lambda: truth_frames(performance, part),
        "refined": lambda: replayed(avatar, refined),
        "replay": lambda: replayed(avatar, part.motion),
        "static head": lambda: replayed(avatar, static_head(avatar, part.motion)),
        "mean frame": lambda: iter([mean_frame(performance)] * len(part.frames)),
    }
    if avatar.voice:
        mouth = heard_mouth(avatar, performance.sound)[part.start : part.end]
        ways["voice"] = lambda: replayed(avatar, with_mouth(part.motion, mouth))
    return ways


def _score(
    name: str,
    frames: Iterator[UInt8[ndarray, "H W 3"]],
    performance: Performance,
    part: HeldOut,
    landmarker: FaceLandmarker | None,
) -> Row:
    regions = find_regions(performance.tracking.landmarks, performance.camera.width)
    figures: list[ImageFigures] = []
    detail = DetailMeter()
    found: list[Float32[ndarray, "478 3"]] = []
    shown = set(_shown(part))
    row = Row(name, {})
    for k, rgb in zip(part.frames, frames, strict=True):
        truth = performance.frames.rgb(k)
        masks = find_masks(performance.matte(k), performance.tracking.landmarks[k])
        figures.append(compare_images(truth, rgb, regions.face[k], regions.mouth[k], masks.person, masks.skin))
        detail.add(truth, rgb, masks, regions.face[k], regions.mouth[k])
        if landmarker is not None:
            faces = landmarker.detect(rgb)
            found.append(faces[0].landmarks if faces else np.full((478, 3), np.nan, np.float32))
        if k in shown:
            row.samples[k] = rgb
    row.figures = mean_figures(figures) | detail.figures()
    if landmarker is not None:
        true_points = performance.tracking.landmarks[part.start : part.end]
        rendered = np.stack(found)
        true_gap, gap = lip_gap(true_points), lip_gap(rendered)
        distance = lip_distance_px(true_points, rendered)
        closed, blinks = closed_blinks(eye_openings(true_points), eye_openings(rendered))
        row.gap = [round(float(g), 4) for g in gap]
        row.figures |= {
            "lip_distance_px": round(float(np.nanmean(distance)), 3),
            "lip_distance_percent": round(100 * float(np.nanmean(distance / eye_distance_px(true_points))), 3),
            "lip_gap_correlation": round(correlation(true_gap, gap), 3),
            "lip_gap_lag_frames": best_lag(true_gap, gap),
            "frames_without_face": int(np.isnan(distance).sum()),
            "blinks": blinks,
            "blinks_closed": closed,
        }
    return row


def _shown(part: HeldOut) -> list[int]:
    return [int(k) for k in np.linspace(part.start, part.end - 1, N_SAMPLES + 2)[1:-1]]


def _samples(rows: list[Row], part: HeldOut) -> list[Sample]:
    return [Sample(k, {row.name: row.samples[k] for row in rows}) for k in _shown(part)]


def _write_metrics(
    path: Path, avatar: Avatar, performance: Performance, part: HeldOut, rows: list[Row], voice: dict[str, Any]
) -> None:
    truth = performance.tracking.landmarks[part.start : part.end]
    record = {
        "footage": performance.meta.source,
        "held_out_frames": [part.start, part.end],
        "iterations": avatar.provenance.iterations,
        "trained_s": avatar.provenance.trained_s,
        "track": performance.meta.quality.__dict__,
        "rows": {row.name: row.figures for row in rows},
        "voice_five_fold": voice,
        "lip_gap": {"truth": [round(float(g), 4) for g in lip_gap(truth)]} | {row.name: row.gap for row in rows},
    }
    path.write_text(json.dumps(record, indent=1) + "\n")

"""`locutor eval`: renders the held-out part under each protocol and scores it."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from locutor.avatar.avatar import Avatar
from locutor.avatar.bundle import save_avatar
from locutor.avatar.marking import mark_of
from locutor.capture.detect import FaceLandmarker
from locutor.capture.performance import Performance
from locutor.core.errors import MissingPartError, ModelFileError
from locutor.core.events import Event, Progress, Warned, Wrote
from locutor.core.files import atomic_path, refuse_existing_folder
from locutor.evaluate.cost import measure_cost
from locutor.evaluate.lips import Lips
from locutor.evaluate.lpips import find_lpips
from locutor.evaluate.openseeface import OpenSeeFace
from locutor.evaluate.others import embedded_performer
from locutor.evaluate.protocols import (
    HeldOut,
    Picture,
    Protocol,
    held_out,
    read_clip,
    refine,
    truth_frames,
    write_clip,
)
from locutor.evaluate.report import SHOWN, worst_frames, write_report
from locutor.evaluate.scoring import Judge, Row
from locutor.evaluate.tables import write_frames, write_metrics, write_table
from locutor.evaluate.voice_folds import VoiceScore, score_voice
from locutor.evaluate.ways import Frames, Way, ways_of
from locutor.provenance.config import MARKED, MarkConfig
from locutor.provenance.mark import Source

STAGE = "judging"
N_SAMPLES = 6  # frames shown in the report
TRUTH, SIDE_BY_SIDE = "truth.mp4", "comparison.mp4"
FILMS = (Protocol.REPLAY, Protocol.REFINED, Protocol.VOICE, Protocol.FREE, Protocol.CROSS)  # what a film is written of
COMPARED = (Protocol.REPLAY, Protocol.VOICE)  # beside the truth in the comparison film


@dataclass(frozen=True)
class Judgement:
    """All that is known of one avatar on one performance.

    Attributes:
        avatar, performance, part: who, on what.
        rows: in the order of `Protocol`.
        truth: lips of the held-out part, as the landmarker sees them.
        voice: over the whole clip; None for an avatar that does not speak.
        cost: of drawing, as `cost.main` names it.
    """

    avatar: Avatar
    performance: Performance
    part: HeldOut
    rows: list[Row]
    truth: Lips
    voice: VoiceScore | None
    cost: dict[str, Any]

    def row(self, protocol: Protocol) -> Row | None:
        """One of the rows, if it is there."""
        return next((row for row in self.rows if row.protocol == protocol), None)


def judge(
    avatar: Avatar, performance: Performance, out: Path, marking: MarkConfig = MARKED, true_torso: bool = False
) -> Generator[Event, None, Judgement]:
    """Score an avatar on footage it never saw.

    Writes `report.html`, `metrics.json`, `metrics.csv`, `frames.csv` and films into `out`.

    Args:
        avatar: who is judged.
        performance: the captured footage.
        out: folder to make.
        marking: how its films say that they are synthetic.
        true_torso: also judge the head over the true torso and background, as papers do.

    Raises:
        OutputError: `out` exists or cannot be written.
        ModelFileError: the LPIPS file of the user is damaged.
    """
    refuse_existing_folder(out)
    started = time.monotonic()
    part = held_out(performance)
    lpips = find_lpips()
    landmarker, second, missing = landmarkers()
    try:
        for what in missing:
            yield Warned(what)
        scorer = Judge(performance, part, landmarker, second, lpips)
        with atomic_path(out) as folder:
            folder.mkdir()
            refined = yield from refine(avatar, performance, part)
            other = embedded_performer()
            known = other.source == performance.meta.source  # the performer is no other to itself
            ways = ways_of(avatar, performance, part, refined, None if known else other, true_torso)
            _write_films(folder, avatar, performance, part, ways, marking)
            ways.append(Way(Protocol.CODEC, lambda: read_clip(folder / TRUTH), part.sound))
            ways.sort(key=lambda way: list(Protocol).index(way.protocol))
            rows: list[Row] = []
            n_steps = len(ways) + 1
            for way in ways:
                yield Progress(STAGE, len(rows), n_steps, time.monotonic() - started, way.protocol.value)
                rows.append(scorer.score(way))
            _keep_samples(rows, ways, part)
            yield Progress(STAGE, len(ways), n_steps, time.monotonic() - started, "five-fold voice, cost")
            voice = score_voice(avatar, performance) if avatar.voice and len(performance.sound) else None
            judgement = Judgement(avatar, performance, part, rows, scorer.lips, voice, _cost(avatar, folder))
            write_metrics(folder / "metrics.json", judgement)
            write_table(folder / "metrics.csv", judgement)
            write_frames(folder / "frames.csv", judgement)
            write_report(folder / "report.html", judgement, (folder / SIDE_BY_SIDE).read_bytes())
            yield Progress(STAGE, n_steps, n_steps, time.monotonic() - started)
    finally:
        if landmarker is not None:
            landmarker.close()
    yield Wrote(out / "report.html", "report")
    return judgement


def landmarkers() -> tuple[FaceLandmarker | None, OpenSeeFace | None, list[str]]:
    """Those that are there, and what is said of the others."""
    first: FaceLandmarker | None = None
    second: OpenSeeFace | None = None
    missing = []
    try:
        first = FaceLandmarker(max_faces=1)
    except (ModelFileError, MissingPartError) as error:
        missing.append(f"lip figures are left out: {error.what}")
    try:
        second = OpenSeeFace()
    except (ModelFileError, MissingPartError) as error:
        missing.append(f"figures of the independent landmarker are left out: {error.what}")
    return first, second, missing


def _keep_samples(rows: Sequence[Row], ways: Sequence[Way], part: HeldOut) -> None:
    """Draw again what the report shows: frames at even distances, and the worst."""
    shown = {int(k) for k in np.linspace(part.start, part.end - 1, N_SAMPLES + 2)[1:-1]}
    shown.update(worst_frames(next(row for row in rows if row.protocol == Protocol.REPLAY), part))
    for row, way in zip(rows, ways, strict=True):
        if row.protocol in SHOWN:
            row.samples = {k: rgb for k, rgb in zip(part.frames, way.frames(), strict=True) if k in shown}


def _write_films(
    folder: Path, avatar: Avatar, performance: Performance, part: HeldOut, ways: Sequence[Way], marking: MarkConfig
) -> None:
    size = performance.camera.width, performance.camera.height
    write_clip(folder / TRUTH, truth_frames(performance, part), part.sound, size)
    chosen = {way.protocol: way for way in ways if way.protocol in FILMS}
    for protocol, way in chosen.items():
        write_clip(folder / f"{protocol}.mp4", way.frames(), way.sound, size, mark_of(avatar, marking))
    films: list[Frames] = [lambda: truth_frames(performance, part)]
    films += [chosen[protocol].frames for protocol in COMPARED if protocol in chosen]
    mark = mark_of(avatar, marking, Source.COMPOSITE)
    write_clip(folder / SIDE_BY_SIDE, _side_by_side(films), part.sound, (len(films) * size[0], size[1]), mark)


def _side_by_side(films: Sequence[Frames]) -> Iterator[Picture]:
    return (cv2.hconcat(pictures) for pictures in zip(*(frames() for frames in films), strict=True))


def _cost(avatar: Avatar, folder: Path) -> dict[str, Any]:
    """In a process of its own, from a file as a user has it."""
    path = folder / "measured.avatar"
    save_avatar(avatar, path, preview=avatar.plate)
    try:
        return measure_cost(path)
    finally:
        path.unlink()

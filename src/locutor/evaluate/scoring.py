"""Scoring one row: its frames against the truth, by pictures and by two landmarkers."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Float32
from numpy import ndarray

from locutor.capture.detect import Face
from locutor.capture.performance import Performance
from locutor.capture.regions import find_regions
from locutor.evaluate import openseeface
from locutor.evaluate.faces import eye_figures, jitter, seen_lips, without_pose
from locutor.evaluate.figure import Figure, Measured, correlation_of, figure, mean
from locutor.evaluate.lips import lip_figures
from locutor.evaluate.lpips import Lpips
from locutor.evaluate.masks import find_masks
from locutor.evaluate.metrics import lip_distance_px
from locutor.evaluate.openseeface import OpenSeeFace
from locutor.evaluate.pictures import PictureMeter, Places
from locutor.evaluate.protocols import HeldOut, Picture
from locutor.evaluate.protocols import Protocol as Line
from locutor.evaluate.ways import Way, true_limits


@dataclass
class Row:
    """One line of the report.

    Attributes:
        protocol: what it is.
        measured: frame by frame, by the name of the figure.
        gap: lip gap per frame as tracked in its frames, inter-ocular units; empty where faces cannot be tracked.
        samples: some of its frames.
        error: mean absolute error of every pixel, grey levels; None where there is nothing to compare with.
    """

    protocol: Line
    measured: dict[str, Measured] = field(default_factory=dict)
    gap: Float[ndarray, " T"] = field(default_factory=lambda: np.zeros(0))
    samples: dict[int, Picture] = field(default_factory=dict)
    error: Float32[ndarray, "H W"] | None = None

    @cached_property
    def figures(self) -> dict[str, Figure]:
        """With intervals."""
        return {name: figure(m) for name, m in self.measured.items()}

    @property
    def values(self) -> dict[str, float]:
        """Without."""
        return {name: f.value for name, f in self.figures.items()}


@runtime_checkable
class Detector(Protocol):
    """What finds the landmarks of a face in a picture: `capture.detect.FaceLandmarker`."""

    def detect(self, rgb: Picture) -> list[Face]:
        """The faces."""
        ...


class Judge:
    """Scores rows on the held-out part of one performance."""

    def __init__(
        self,
        performance: Performance,
        part: HeldOut,
        landmarker: Detector | None,
        second: OpenSeeFace | None,
        lpips: Lpips | None = None,
    ) -> None:
        """Args:
        performance, part: what the rows are compared with.
        landmarker: of the kind that tracked the footage; without it there are no figures of lips and eyes.
        second: the independent one.
        lpips: the user's.
        """
        self._performance, self._part = performance, part
        self._landmarker, self._second, self._lpips = landmarker, second, lpips
        self._neutral = performance.tracking.neutral
        self._landmarks = performance.tracking.landmarks[part.start : part.end]
        self._in_head = without_pose(self._landmarks, self._neutral)
        self.lips = seen_lips(self._in_head, self._neutral, true_limits(performance))

    @cached_property
    def _second_truth(self) -> Float32[ndarray, "T 66 2"]:
        assert self._second is not None
        self._second.restart()
        return np.stack([self._second.step(self._performance.frames.rgb(k)) for k in self._part.frames])

    @cached_property
    def _places(self) -> list[Places]:
        performance = self._performance
        regions = find_regions(performance.tracking.landmarks, performance.camera.width)
        names = [f.name for f in dataclasses.fields(regions)]
        return [
            Places(
                find_masks(performance.matte(k), performance.tracking.landmarks[k]),
                {name: getattr(regions, name)[k] for name in names},
            )
            for k in self._part.frames
        ]

    def score(self, way: Way) -> Row:
        """All figures of one row."""
        row, meter = Row(way.protocol), PictureMeter(self._lpips)
        aligned, start = way.protocol.is_aligned, self._part.start
        found, second, error = [], [], np.zeros(0)
        truth_points = self._second_truth if self._second is not None and aligned else None
        if self._second is not None:
            self._second.restart()
        for i, rgb in enumerate(way.frames()):
            if aligned:
                truth = self._performance.frames.rgb(start + i)
                meter.add(truth, rgb, self._places[i])
                off = np.abs(truth.astype(np.int16) - rgb).mean(2)
                error = off if i == 0 else error + off
            if self._landmarker is not None:
                faces = self._landmarker.detect(rgb)
                found.append(faces[0].landmarks if faces else np.full((478, 3), np.nan, np.float32))
            if self._second is not None and truth_points is not None:
                second.append(self._second.step(rgb))
        row.measured = meter.figures()
        if aligned:
            row.error = (error / len(meter.frames)).astype(np.float32)
        if found:
            row.measured |= self._of_landmarks(way, np.stack(found), row)
        if truth_points is not None:
            row.measured |= second_figures(truth_points, np.stack(second))
        return row

    def _of_landmarks(self, way: Way, found: Float32[ndarray, "T 478 3"], row: Row) -> dict[str, Measured]:
        in_head = without_pose(found, self._neutral)
        lips = seen_lips(in_head, self._neutral, self.lips.limits)
        row.gap = lips.gap
        true = way.lips or self.lips
        lost = np.isnan(found).any((1, 2)).astype(np.float64)
        figures = lip_figures(true, lips, way.sound) | {"frames_without_face": Measured(lost[:, None], mean)}
        if way.lips is None:
            figures["head_jitter_share"] = jitter(self._landmarks, found)
        if way.protocol.is_aligned:
            distance = lip_distance_px(self._landmarks, found)
            figures |= {"lip_distance_px": Measured(distance[:, None].astype(np.float64), mean)}
            figures |= eye_figures(self._in_head, in_head)
        return figures


def second_figures(truth: Float32[ndarray, "T 66 2"], found: Float32[ndarray, "T 66 2"]) -> dict[str, Measured]:
    """By the landmarker that had no part in training."""
    gaps = np.stack([openseeface.lip_gap(points) for points in (truth, found)], 1).astype(np.float64)
    columns = {
        "other_landmarks_percent": openseeface.distance_percent(truth, found),
        "other_mouth_percent": openseeface.mouth_distance_percent(truth, found),
    }
    return {name: Measured(column[:, None].astype(np.float64), mean) for name, column in columns.items()} | {
        "other_lip_gap_correlation": Measured(gaps, correlation_of)
    }

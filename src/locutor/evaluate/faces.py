"""Figures of the tracked face beside its lips: lids, gaze, and how steady the head is."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Float32
from numpy import ndarray

from locutor.capture.gaze import gaze_turns
from locutor.core.face import LIPS, MOUTH, RIGID
from locutor.drive.voice import lip_gap
from locutor.evaluate.blinks import blinks_met, eye_openings, usual_opening
from locutor.evaluate.figure import Measured, mean, root_share
from locutor.evaluate.lips import Lips


def without_pose(
    landmarks: Float32[ndarray, "T 478 3"], neutral: Float32[ndarray, "478 3"]
) -> Float[ndarray, "T 478 3"]:
    """Landmarks laid on the person's neutral face by their rigid points (Umeyama 1991), inter-ocular units.

    Frames without a face stay without numbers. Truth and rendering are treated alike, so what the detector's depth
    does wrong it does wrong in both.
    """
    rigid = list(RIGID)
    source, target = landmarks[:, rigid].astype(np.float64), neutral[rigid].astype(np.float64)
    known = np.isfinite(source).all((1, 2))
    laid = np.full(landmarks.shape, np.nan)
    if not known.any():
        return laid
    middle, target_middle = source[known].mean(1, keepdims=True), target.mean(0)
    a, b = source[known] - middle, target - target_middle
    U, S, Vt = np.linalg.svd(np.einsum("mi,tmj->tij", b, a))
    sign = np.ones_like(S)
    sign[:, 2] = np.sign(np.linalg.det(U @ Vt))
    R = (U * sign[:, None]) @ Vt
    scale = (S * sign).sum(1) / (a**2).sum((1, 2))
    laid[known] = scale[:, None, None] * np.einsum("tij,tmj->tmi", R, landmarks[known] - middle) + target_middle
    return laid


def seen_lips(
    in_head: Float[ndarray, "T 478 3"], neutral: Float32[ndarray, "478 3"], limits: tuple[float, float]
) -> Lips:
    """The mouth of tracked frames; `in_head` as `without_pose` gives it."""
    moved = (in_head - neutral)[..., :2]
    gap = lip_gap(moved[:, list(MOUTH)].astype(np.float32)).astype(np.float64)
    return Lips(moved[:, list(LIPS)], gap, limits)


def eye_figures(truth: Float[ndarray, "T 478 3"], rendered: Float[ndarray, "T 478 3"]) -> dict[str, Measured]:
    """Lids and gaze; both as `without_pose` gives them."""
    opening, drawn = (eye_openings(points.astype(np.float32)) for points in (truth, rendered))
    lids = 100 * np.abs(opening - drawn) / usual_opening(opening)
    figures = {
        "blinks_closed": Measured(blinks_met(opening, drawn)[:, None], mean),
        "lid_error_percent": Measured(lids[:, None], mean),
    }
    seen = [np.isfinite(points).all((1, 2)) for points in (truth, rendered)]
    if all(s.sum() > 2 for s in seen):
        turns = [gaze_turns(np.nan_to_num(p), s) for p, s in zip((truth, rendered), seen, strict=True)]
        off = np.degrees(np.linalg.norm(turns[0] - turns[1], axis=1))
        off[~(seen[0] & seen[1])] = np.nan
        figures["gaze_error_deg"] = Measured(off[:, None], mean)
    return figures


def jitter(truth: Float32[ndarray, "T 478 3"], rendered: Float32[ndarray, "T 478 3"]) -> Measured:
    """Second difference in time of the head's rigid points, RMS, as a share of the truth's.

    The detector's own trembling is in both; 1 is as steady as the person.
    """
    columns = []
    for landmarks in (truth, rendered):
        xy = landmarks[:, list(RIGID), :2].astype(np.float64)
        bend = np.full(len(xy), np.nan)
        bend[1:-1] = ((xy[:-2] - 2 * xy[1:-1] + xy[2:]) ** 2).sum(-1).mean(1)
        columns.append(bend)
    return Measured(np.stack(columns, 1), root_share)

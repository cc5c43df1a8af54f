"""Optical flow at the rigid points of the face, and the residual that judges a track."""

from collections.abc import Iterable

import cv2
import numpy as np
from jaxtyping import Float, UInt8
from numpy import ndarray

from locutor.capture.track import FlowField, RigidTrack
from locutor.core.camera import Camera

WINDOW_PX = 25
ROUND_TRIP_PX = 0.3  # forward and backward flow must meet within this

# Points whose skin is textured and moves little with expression: where flow can be believed.
FLOW_POINTS = (
    3, 4, 5, 6, 8, 9, 33, 51, 67, 68, 69, 71, 104, 108, 109, 122, 133, 151, 168, 174, 188, 193, 195, 196, 197,
    245, 248, 263, 281, 297, 298, 299, 301, 333, 337, 338, 351, 362, 399, 412, 417, 419, 465,
)  # fmt: skip


def measure_flow(grey_frames: Iterable[UInt8[ndarray, "H W"]], projected: Float[ndarray, "T M 2"]) -> FlowField:
    """Lucas-Kanade flow of `projected` points between consecutive frames, checked forward and backward.

    Args:
        grey_frames: the T frames in order; only two are held at a time.
        projected: where the track sees the points, px; its motion starts the search.
    """
    n_frames, n_points = projected.shape[:2]
    flow = np.zeros((n_frames - 1, n_points, 2))
    trusted = np.zeros((n_frames - 1, n_points), bool)
    previous = None
    for t, current in enumerate(grey_frames):
        if previous is not None:
            start = projected[t - 1].astype(np.float32)[:, None]
            guess = projected[t].astype(np.float32)[:, None]
            there, found = _lucas_kanade(previous, current, start, guess)
            back, found_back = _lucas_kanade(current, previous, there, start)
            round_trip = np.linalg.norm((back - start)[:, 0], axis=1)
            trusted[t - 1] = found & found_back & (round_trip < ROUND_TRIP_PX)
            flow[t - 1] = (there - start)[:, 0]
        previous = current
    return FlowField(flow, trusted)


def _lucas_kanade(
    previous: UInt8[ndarray, "H W"], current: UInt8[ndarray, "H W"], points: ndarray, guess: ndarray
) -> tuple[ndarray, ndarray]:
    there, found, _ = cv2.calcOpticalFlowPyrLK(
        previous,
        current,
        points,
        guess.copy(),
        winSize=(WINDOW_PX, WINDOW_PX),
        maxLevel=2,
        flags=cv2.OPTFLOW_USE_INITIAL_FLOW,
    )
    return there, found[:, 0] > 0


def residual_flow(track: RigidTrack, camera: Camera, flow: FlowField) -> float:
    """RMS over frames of the median (measured minus predicted) flow, px per frame: jitter and lag show here."""
    return rms(residual_series(track, camera, flow))


def residual_series(track: RigidTrack, camera: Camera, flow: FlowField) -> Float[ndarray, " T1"]:
    """Length of the median residual for each step, px per frame; nan where no point is trusted."""
    projected = track.project(camera)
    residual = np.where(flow.trusted[..., None], flow.flow - (projected[1:] - projected[:-1]), np.nan)
    series = np.full(len(residual), np.nan)
    seen = flow.trusted.any(1)
    if seen.any():
        series[seen] = np.linalg.norm(np.nanmedian(residual[seen], axis=1), axis=1)
    return series


def rms(series: Float[ndarray, " T1"]) -> float:
    """Root mean square of the finite values; nan if there are none."""
    known = series[np.isfinite(series)]
    return float(np.sqrt((known**2).mean())) if len(known) else float("nan")

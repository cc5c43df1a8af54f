"""Optical flow at the rigid points of the face, and the residual that judges a track."""

import cv2
import numpy as np
from jaxtyping import Bool, Float, Float32, UInt8
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


def measure_flow(
    previous: UInt8[ndarray, "H W"],
    current: UInt8[ndarray, "H W"],
    start: Float[ndarray, "M 2"],
    guess: Float[ndarray, "M 2"],
) -> tuple[Float[ndarray, "M 2"], Bool[ndarray, " M"]]:
    """Lucas-Kanade flow of points from one frame to the next, px, and whether there and back it meets.

    Args:
        previous, current: the frames.
        start: places in the first.
        guess: places expected in the second, where the search starts.
    """
    there, found = there_and_back(previous, current, start, guess, ROUND_TRIP_PX)
    return there - start.astype(np.float32), found


def there_and_back(
    source: UInt8[ndarray, "H W"],
    target: UInt8[ndarray, "H W"],
    points: Float[ndarray, "M 2"],
    guess: Float[ndarray, "M 2"],
    within_px: float,
) -> tuple[Float32[ndarray, "M 2"], Bool[ndarray, " M"]]:
    """Where the windows lie in the target, and which are found there and lead back to where they came from."""
    there, found = lucas_kanade(source, target, points, guess, levels=1)
    back, found_back = lucas_kanade(target, source, there, points, levels=1)
    met = np.linalg.norm(back - points.astype(np.float32), axis=1) < within_px
    return there, found & found_back & met


def lucas_kanade(
    source: UInt8[ndarray, "H W"],
    target: UInt8[ndarray, "H W"],
    points: Float[ndarray, "M 2"],
    guess: Float[ndarray, "M 2"],
    levels: int,
    window_px: int = WINDOW_PX,
) -> tuple[Float32[ndarray, "M 2"], Bool[ndarray, " M"]]:
    """Where the windows around `points` lie in the target, and which were found.

    The pyramids are made of no more of the pictures than the windows can reach: pyramids of whole frames take longer
    than the search.
    """
    step, height, width = 2**levels, *source.shape
    both = np.concatenate([points, guess])
    reach = step * (window_px // 2 + 4)
    low = np.clip((both.min(0) - reach) // step * step, 0, np.array([width, height]) // step * step - step).astype(int)
    high = np.maximum(np.ceil(both.max(0)).astype(int) + reach, low + step)
    box = slice(low[1], high[1]), slice(low[0], high[0])
    corner = low.astype(np.float32)
    start, expected = ((xy - corner).astype(np.float32, order="C").reshape(-1, 1, 2) for xy in (points, guess))
    there, found, _ = cv2.calcOpticalFlowPyrLK(
        source[box], target[box], start, expected,
        winSize=(window_px, window_px), maxLevel=levels, flags=cv2.OPTFLOW_USE_INITIAL_FLOW,
    )  # fmt: skip
    return np.asarray(there)[:, 0] + corner, np.asarray(found)[:, 0] > 0


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

"""By how much the footage's sound is late or early against its picture."""

import numpy as np
from jaxtyping import Float, Float32, Int
from numpy import ndarray

from locutor.capture.pose_effect import without_pose
from locutor.core.clock import SAMPLES_PER_FRAME
from locutor.core.face import LIP_GAP_ROWS
from locutor.core.folds import blocked_folds
from locutor.core.motion import Motion
from locutor.media.logmel import HOP, LogMel

MELS_PER_FRAME = SAMPLES_PER_FRAME // HOP
MAX_OFFSET = 15  # frames, 600 ms
LIP_LEAD = 1.5  # frames by which lips run ahead of their sound; 0 to 3 on six people whose sound is right
CLEAR = 0.2  # confidence from which on an offset is to be believed
_WINDOW = 3  # mel frames on each side: narrow, so that the peak is sharp
_N_BANDS = 20
_PENALTY = 100.0
_MOST_FRAMES = 600  # longer footage is thinned out: a correlation does not need more
_FOLDS, _GAP = 5, 13


def estimate_offset_frames(audio: Float32[ndarray, " n"], motion: Motion) -> tuple[float, float]:
    """How late the sound is, and how sure that is.

    The lip gap is predicted from the sound by ridge regression for each shift of the sound; the shift of the
    best held-out correlation, less the natural lead of the lips, is the offset. Energy alone would fail on
    some people.

    Returns:
        Offset in frames of 40 ms (positive: the sound comes late; to about half a frame), and the confidence:
        the peak's correlation less the median over all shifts. From `CLEAR` on it can be relied upon.
    """
    shifts, correlation = offset_profile(audio, motion)
    best = int(correlation.argmax())
    peak = float(shifts[best])
    if 0 < best < len(shifts) - 1:  # vertex of the parabola through the three best points
        left, middle, right = correlation[best - 1 : best + 2]
        peak += 0.5 * float((left - right) / (left - 2 * middle + right - 1e-9))
    return peak - LIP_LEAD, float(correlation[best] - np.median(correlation))


def offset_profile(audio: Float32[ndarray, " n"], motion: Motion) -> tuple[Int[ndarray, " L"], Float[ndarray, " L"]]:
    """Held-out correlation of the lip gap with its ridge regression, for each shift of the sound.

    Returns:
        The shifts in frames (positive: the sound is late) and the correlations.
    """
    assert motion.face is not None, "the motion has no face"
    n_frames = len(motion)
    valid = np.ones(n_frames, bool) if motion.valid is None else motion.valid
    upper, lower = LIP_GAP_ROWS
    gap = without_pose((motion.face[:, lower, 1] - motion.face[:, upper, 1])[:, None], motion, valid)[:, 0].astype(
        np.float64
    )
    mel = LogMel().whole(audio)
    centres = MELS_PER_FRAME * np.arange(-MAX_OFFSET, n_frames + MAX_OFFSET) + MELS_PER_FRAME // 2
    rows = np.clip(centres[:, None] + np.arange(-_WINDOW, _WINDOW + 1), 0, len(mel) - 1)
    bands = mel.reshape(len(mel), _N_BANDS, -1).mean(axis=2)
    windows = bands[rows].reshape(len(rows), -1)
    z = (windows - windows.mean(axis=0)) / (windows.std(axis=0) + 0.1)
    frames = np.flatnonzero(valid)
    frames = frames[:: -(-len(frames) // _MOST_FRAMES)]
    shifts = np.arange(-MAX_OFFSET, MAX_OFFSET + 1)
    return shifts, np.array([_held_out_correlation(z[frames + MAX_OFFSET + s], gap, frames) for s in shifts])


def _held_out_correlation(z: Float32[ndarray, "N D"], gap: Float[ndarray, " T"], frames: Int[ndarray, " N"]) -> float:
    """`z` are windows of sound for the pictures `frames`."""
    true = gap[frames]
    predicted = np.zeros(len(frames))
    for train, test in blocked_folds(len(gap), _FOLDS, _GAP):
        learn, judge = train[frames], test[frames]
        mean = true[learn].mean()
        penalised = z[learn].T @ z[learn] + _PENALTY * np.eye(z.shape[1])
        predicted[judge] = z[judge] @ np.linalg.solve(penalised, z[learn].T @ (true[learn] - mean))
    if predicted.std() == 0 or true.std() == 0:
        return 0.0
    return float(np.corrcoef(predicted, true)[0, 1])

"""By how much the footage's sound is late or early against its picture.

Lips must be shut while p, b or m sounds, and wide open for an a: what the phonetic encoder hears is laid against the
tracked lips, and the lag at which both agree best is the offset. No person's habits go into that: real people whose
sound is right lie within 20 ms of zero (docs/capture.md).
"""

import numpy as np
from jaxtyping import Float, Float32
from numpy import ndarray
from scipy.ndimage import gaussian_filter1d

from locutor.capture.heard import HEARD_FPS
from locutor.capture.pose_effect import without_pose
from locutor.core.clock import FPS
from locutor.core.face import LIP_GAP_ROWS
from locutor.core.motion import Motion
from locutor.speech.phonetic_classes import VISEMES

MAX_OFFSET = 16  # frames, 640 ms
CLEAR = 0.25  # confidence from which on an offset is to be believed
_STEPS = 4  # lags per frame
_SLOW_S = 0.3  # what changes more slowly than this is taken out of both: drifts, effort, tiredness
_SHARES = {"open": 1.0, "closed": -1.0, "lip and teeth": -0.5}
_OPENING = np.array([_SHARES.get(name, 0.0) for name, _ in VISEMES])  # of the lips, by what is heard


def estimate_offset_frames(visemes: Float32[ndarray, "t 12"], motion: Motion) -> tuple[float, float]:
    """How late the sound is, and how sure that is.

    Args:
        visemes: posteriors of what is heard (`heard.visemes_of`), from the first picture on.
        motion: `face` is needed, the head pose is used where present.

    Returns:
        Offset in frames of 40 ms (positive: the sound comes late), and the confidence: the peak of the correlation
        less its median over all lags. From `CLEAR` on it can be relied upon.
    """
    lags, correlation = offset_profile(visemes, motion)
    best = int(correlation.argmax())
    peak = float(lags[best])
    if 0 < best < len(lags) - 1:  # vertex of the parabola through the three best points
        left, middle, right = correlation[best - 1 : best + 2]
        peak += 0.5 / _STEPS * float((left - right) / (left - 2 * middle + right - 1e-9))
    return peak, float(correlation[best] - np.median(correlation))


def offset_profile(
    visemes: Float32[ndarray, "t 12"], motion: Motion
) -> tuple[Float[ndarray, " L"], Float[ndarray, " L"]]:
    """Correlation of the lip gap with the opening of lips that is heard, for each lag.

    Returns:
        The lags in frames (positive: the sound is late) and the correlations.
    """
    assert motion.face is not None, "the motion has no face"
    valid = np.ones(len(motion), bool) if motion.valid is None else motion.valid
    lags = np.arange(-MAX_OFFSET * _STEPS, MAX_OFFSET * _STEPS + 1) / _STEPS
    if not valid.any():
        return lags, np.zeros(len(lags))
    upper, lower = LIP_GAP_ROWS
    gap = without_pose((motion.face[:, lower, 1] - motion.face[:, upper, 1])[:, None], motion, valid)[:, 0]
    # What was not observed must not reach its neighbours through the smoothing.
    frames = np.arange(len(gap))
    gap = _quick(np.interp(frames, frames[valid], gap[valid].astype(np.float64)), FPS)
    opening = _quick(visemes.astype(np.float64) @ _OPENING, HEARD_FPS)
    middle_s = (np.flatnonzero(valid) + 0.5) / FPS
    heard_s = np.arange(len(opening)) / HEARD_FPS
    return lags, np.array([_likeness(gap[valid], np.interp(middle_s + lag / FPS, heard_s, opening)) for lag in lags])


def _quick(values: Float[ndarray, " T"], fps: int) -> Float[ndarray, " T"]:
    """What is left without slow changes."""
    return values - gaussian_filter1d(values, _SLOW_S * fps)


def _likeness(a: Float[ndarray, " N"], b: Float[ndarray, " N"]) -> float:
    return 0.0 if a.std() == 0 or b.std() == 0 else float(np.corrcoef(a, b)[0, 1])

"""By how much the footage's sound is late or early against its picture."""

import numpy as np
from jaxtyping import Float, Float32, Int
from numpy import ndarray

from locutor.core.face import MOUTH_SLICE
from locutor.core.motion import Motion
from locutor.drive.features import MouthFeatures, speech_mean
from locutor.drive.pose_effect import without_pose
from locutor.drive.voice import lip_gap
from locutor.media.logmel import LogMel

MAX_OFFSET = 12  # frames, 480 ms
_PENALTY = 1.0


def offset_profile(audio: Float32[ndarray, " n"], motion: Motion) -> tuple[Int[ndarray, " L"], Float[ndarray, " L"]]:
    """Held-out correlation of the lip gap with its ridge regression from sound, for each shift of the sound.

    Returns:
        The shifts in frames (positive: the sound is late) and the correlations.
    """
    assert motion.face is not None
    n_frames = len(motion)
    train_all = np.ones(n_frames, bool) if motion.valid is None else motion.valid
    gap = lip_gap(motion.face[:, MOUTH_SLICE])[:, None]
    gap = without_pose(gap, motion, train_all)[:, 0].astype(np.float64)
    mel = LogMel().whole(audio)
    # Windows are centred on the picture here, so that no shift sees more of the past than another.
    windows = MouthFeatures(speech_mean(mel)).of_mel(mel, -MAX_OFFSET, n_frames + 2 * MAX_OFFSET)
    z = (windows - windows.mean(axis=0)) / (windows.std(axis=0) + 0.1)
    gram = (z @ z.T / z.shape[1]).astype(np.float64)
    shifts = np.arange(-MAX_OFFSET, MAX_OFFSET + 1)
    return shifts, np.array([_held_out_correlation(gram, gap, train_all, int(s) + MAX_OFFSET) for s in shifts])

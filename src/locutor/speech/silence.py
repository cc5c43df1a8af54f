"""Where there is speech: level above an adaptive noise floor, as a stream."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32
from numpy import ndarray

_BANDS = slice(4, 64)  # about 150-4500 Hz: without hum and hiss
_CALIBRATION_DB = -26.0  # of white noise in these bands, so that levels read as dB below full scale
_SMOOTH = 3  # mel frames over which the level is averaged: single clicks do not count
_FLOOR_BLOCKS, _BLOCK = 6, 50  # the floor is the least level of the last six half seconds
_FIRST_FLOOR_DB = -45.0  # until a second was heard, nothing above this can be taken for noise
_LEARN = 100  # mel frames
_SILENCE_DB = -62.0  # below this nothing is speech
_ON_DB, _OFF_DB = 10.0, 6.0  # above the floor


@dataclass(frozen=True)
class ActivityState:
    """What `SpeechActivity` remembers.

    Attributes:
        recent: power of the last frames, for smoothing.
        block_minima: least level of the last half seconds, dB, the running one last.
        n_frames: mel frames heard.
        active: the last decision.
    """

    recent: Float32[ndarray, " k"]
    block_minima: Float32[ndarray, " b"]
    n_frames: int
    active: bool


class SpeechActivity:
    """Speech or not for each mel frame (10 ms), from this and earlier frames only.

    A frame is speech when its smoothed level stands 10 dB (6 dB once speaking) above the least level of the
    last three seconds (minimum statistics, after Martin 2001, without its bias correction). A sound that is
    steady for longer than three seconds counts as noise, a held note too.
    """

    def init(self) -> ActivityState:
        """State before the first frame."""
        return ActivityState(np.zeros(0, np.float32), np.full(1, np.inf, np.float32), 0, False)

    def step(self, state: ActivityState, mel: Float32[ndarray, "t 80"]) -> tuple[ActivityState, Bool[ndarray, " t"]]:
        """Take frames of `LogMel`, give a decision for each."""
        power = np.exp(mel[:, _BANDS]).mean(axis=1)
        recent = np.concatenate([state.recent, power])
        minima, n_frames, active = list(state.block_minima), state.n_frames, state.active
        decisions = np.zeros(len(mel), bool)
        for t in range(len(mel)):
            end = len(recent) - len(mel) + t + 1
            level_db = 10 * np.log10(recent[max(0, end - _SMOOTH) : end].mean()) + _CALIBRATION_DB
            if n_frames % _BLOCK == 0 and n_frames > 0:
                minima = [*minima, np.inf][-_FLOOR_BLOCKS:]
            minima[-1] = min(minima[-1], level_db)
            n_frames += 1
            floor_db = min(minima)
            if n_frames < _LEARN:
                floor_db = min(floor_db, _FIRST_FLOOR_DB)
            active = bool(level_db > max(floor_db + (_OFF_DB if active else _ON_DB), _SILENCE_DB))
            decisions[t] = active
        kept = recent[-(_SMOOTH - 1) :].copy()
        return ActivityState(kept, np.array(minima, np.float32), n_frames, active), decisions

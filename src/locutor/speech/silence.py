"""Where there is speech: level above an adaptive noise floor, as a stream."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32
from numpy import ndarray

_BANDS = slice(4, 64)  # about 150-4500 Hz: without hum and hiss
_CALIBRATION_DB = -26.0  # of white noise in these bands, so that levels read as dB below full scale
_SPAN = 4  # mel frames looked at for a decision: a click lasts three
_NOTHING = 1e-6  # power of a mel band in digital silence
_FLOOR_BLOCKS, _BLOCK = 6, 50  # the floor is the least level of the last six half seconds
_FIRST_FLOOR_DB = -45.0  # until a second was heard, nothing above this can be taken for noise
_LEARN = 100  # mel frames
_SILENCE_DB = -62.0  # below this nothing is speech
_ON_DB, _OFF_DB = 10.0, 6.0  # above the floor


@dataclass(frozen=True)
class ActivityState:
    """What `SpeechActivity` remembers.

    Attributes:
        recent: power of the last three frames.
        block_minima: least level of the last half seconds, dB, the running one last.
        n_frames: mel frames heard.
        active: the last decision.
    """

    recent: Float32[ndarray, " 3"]
    block_minima: Float32[ndarray, " b"]
    n_frames: int
    active: bool


class SpeechActivity:
    """Speech or not for each mel frame (10 ms), from this and earlier frames only.

    Speech begins where four frames in a row stand 10 dB above the least level of the last three seconds, and
    goes on while their mean stands 6 dB above it (minimum statistics, after Martin 2001, without its bias
    correction). A sound that is steady for longer than three seconds counts as noise, a held note too.
    """

    def init(self) -> ActivityState:
        """State before the first frame."""
        return ActivityState(np.full(_SPAN - 1, _NOTHING, np.float32), np.full(1, np.inf, np.float32), 0, False)

    def step(self, state: ActivityState, mel: Float32[ndarray, "t 80"]) -> tuple[ActivityState, Bool[ndarray, " t"]]:
        """Take frames of `LogMel`, give a decision for each."""
        recent = np.concatenate([state.recent, np.exp(mel[:, _BANDS]).mean(axis=1)])
        if len(mel) == 0:
            return state, np.zeros(0, bool)
        spans = np.lib.stride_tricks.sliding_window_view(recent, _SPAN)
        steady_db = (10 * np.log10(spans.min(axis=1)) + _CALIBRATION_DB).tolist()
        levels_db = (10 * np.log10(spans.mean(axis=1)) + _CALIBRATION_DB).tolist()
        minima, n_frames, active = state.block_minima.tolist(), state.n_frames, state.active
        decisions = np.zeros(len(mel), bool)
        for t, (level_db, lowest_db) in enumerate(zip(levels_db, steady_db, strict=True)):
            if n_frames % _BLOCK == 0 and n_frames > 0:
                minima = [*minima, np.inf][-_FLOOR_BLOCKS:]
            if n_frames >= _SPAN:
                minima[-1] = min(minima[-1], level_db)
            n_frames += 1
            floor_db = min(minima)
            if n_frames < _LEARN:
                floor_db = min(floor_db, _FIRST_FLOOR_DB)
            if active:
                active = level_db > max(floor_db + _OFF_DB, _SILENCE_DB)
            else:
                active = lowest_db > max(floor_db + _ON_DB, _SILENCE_DB)
            decisions[t] = active
        return ActivityState(recent[1 - _SPAN :].copy(), np.array(minima, np.float32), n_frames, active), decisions

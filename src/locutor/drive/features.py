"""What the voice model sees of the sound: for each picture a window of levelled log-mel, as a stream."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from locutor.core.clock import SAMPLES_PER_FRAME
from locutor.media.logmel import HOP, N_MELS, LogMel, LogMelState
from locutor.speech.silence import ActivityState, SpeechActivity

MELS_PER_FRAME = SAMPLES_PER_FRAME // HOP  # 4
LOOK_AHEAD = 10  # mel frames: 160 * (4 i + 10) + 200 samples of window end 112.5 ms after the start of picture i
LOOK_BACK = 15  # mel frames, 150 ms
N_FEATURES = (LOOK_BACK + 1 + LOOK_AHEAD) * N_MELS
_PRIOR_S, _MEMORY_S = 3.0, 10.0
_SECONDS_PER_MEL = 0.01


@dataclass(frozen=True)
class LevelState:
    """A running mean spectrum of the speech.

    Attributes:
        mean: mean log-mel of the speech heard.
        weight_s: seconds of speech that the mean stands for.
        activity: state of the speech detector.
    """

    mean: Float32[ndarray, "80"]
    weight_s: float
    activity: ActivityState


class Leveller:
    """Takes the slow mean of the speech out of each mel band: loudness, microphone, part of the voice.

    The mean starts from the enrolled person's (worth three seconds) and follows what is heard with a memory of
    ten seconds of speech. Causal: frame j uses frames up to j.
    """

    def __init__(self, prior_mel: Float32[ndarray, "80"]) -> None:
        """Args: prior_mel: mean log-mel of the enrolled person's speech."""
        self._prior = prior_mel
        self._activity = SpeechActivity()

    def init(self) -> LevelState:
        """State before the first frame."""
        return LevelState(self._prior, _PRIOR_S, self._activity.init())

    def step(self, state: LevelState, mel: Float32[ndarray, "t 80"]) -> tuple[LevelState, Float32[ndarray, "t 80"]]:
        """Take frames of `LogMel`, give the same frames levelled."""
        activity, active = self._activity.step(state.activity, mel)
        mean, weight_s = state.mean, state.weight_s
        levelled = np.empty_like(mel)
        for t in range(len(mel)):
            if active[t]:
                weight_s = min(weight_s + _SECONDS_PER_MEL, _MEMORY_S)
                mean = mean + (mel[t] - mean) * np.float32(_SECONDS_PER_MEL / weight_s)
            levelled[t] = mel[t] - mean
        return LevelState(mean, weight_s, activity), levelled


def speech_mean(mel: Float32[ndarray, "t 80"]) -> Float32[ndarray, "80"]:
    """Mean log-mel of the frames that hold speech (of all frames if none does)."""
    activity = SpeechActivity()
    _, active = activity.step(activity.init(), mel)
    return mel[active if active.any() else slice(None)].mean(axis=0, dtype=np.float64).astype(np.float32)


@dataclass(frozen=True)
class FeatureState:
    """What `MouthFeatures` remembers.

    Attributes:
        logmel, level: states of the two stages before.
        waiting: levelled frames from the beginning of the next picture's window on.
        n_samples: samples heard.
        n_pictures: pictures given.
    """

    logmel: LogMelState
    level: LevelState
    waiting: Float32[ndarray, "k 80"]
    n_samples: int
    n_pictures: int


class MouthFeatures:
    """Windows of levelled log-mel: picture i sees the mel frames 4 i - LOOK_BACK ... 4 i + LOOK_AHEAD.

    Picture i is given when sample 640 i + 1800 has come: the whole look-ahead is 112.5 ms. Before the beginning
    and after the end there is silence.
    """

    def __init__(self, prior_mel: Float32[ndarray, "80"]) -> None:
        """Args: prior_mel: mean log-mel of the enrolled person's speech."""
        self._logmel = LogMel()
        self._leveller = Leveller(prior_mel)
        self._silence = self._logmel.whole(np.zeros(1, np.float32))

    def init(self) -> FeatureState:
        """State before the first sample."""
        level = self._leveller.init()
        before = np.repeat(self._silence - level.mean, LOOK_BACK, axis=0)
        return FeatureState(self._logmel.init(), level, before, 0, 0)

    def step(
        self, state: FeatureState, samples: Float32[ndarray, " n"]
    ) -> tuple[FeatureState, Float32[ndarray, "t {N_FEATURES}"]]:
        """Take any number of samples, give the windows of the pictures that are complete."""
        logmel, mel = self._logmel.step(state.logmel, samples)
        level, levelled = self._leveller.step(state.level, mel)
        known = np.concatenate([state.waiting, levelled])
        n_window = LOOK_BACK + 1 + LOOK_AHEAD
        n_ready = max(0, (len(known) - n_window) // MELS_PER_FRAME + 1)
        rows = np.arange(n_ready)[:, None] * MELS_PER_FRAME + np.arange(n_window)
        windows = known[rows].reshape(n_ready, N_FEATURES)
        waiting = known[n_ready * MELS_PER_FRAME :]
        n_samples, n_pictures = state.n_samples + len(samples), state.n_pictures + n_ready
        return FeatureState(logmel, level, waiting, n_samples, n_pictures), windows

    def finish(self, state: FeatureState) -> Float32[ndarray, "t {N_FEATURES}"]:
        """The windows that were waiting for their look-ahead: ceil(samples / 640) pictures in all."""
        n_left = -(-state.n_samples // SAMPLES_PER_FRAME) - state.n_pictures
        return self.step(state, np.zeros((LOOK_AHEAD + 2 * MELS_PER_FRAME) * HOP, np.float32))[1][:n_left]

    def whole(self, samples: Float32[ndarray, " n"]) -> Float32[ndarray, "t {N_FEATURES}"]:
        """All windows of a finished sound: the same as `step` and `finish`."""
        state, windows = self.step(self.init(), samples)
        return np.concatenate([windows, self.finish(state)])

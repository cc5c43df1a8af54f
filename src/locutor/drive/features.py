"""What the voice model sees of the sound: for each picture a window of levelled log-mel, as a stream."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Int
from numpy import ndarray

from locutor.core.clock import SAMPLES_PER_FRAME, frames_for_samples
from locutor.media.logmel import HOP, N_MELS, LogMel, LogMelState
from locutor.speech.silence import ActivityState, SpeechActivity

MELS_PER_FRAME = SAMPLES_PER_FRAME // HOP  # 4
LOOK_AHEAD = 10  # mel frames: 160 * (4 i + 10) + 200 samples of window end 112.5 ms after the start of picture i
LOOK_BACK = 15  # mel frames, 150 ms
_N_WINDOW = LOOK_BACK + 1 + LOOK_AHEAD  # 26 mel frames
N_FEATURES = _N_WINDOW // 2 * N_MELS // 2  # pairs of frames, pairs of bands: 520
_PRIOR_S, _MEMORY_S = 1.5, 10.0
_SPECTRUM_SHARE = 0.5  # how much of the mean spectrum's shape is taken out; its loudness is wholly
_SECONDS_PER_MEL = 0.01


def _band_pairs() -> Float32[ndarray, "80 40"]:
    """Smoothing by (1 2 1) / 4 over bands, then the mean of each pair."""
    smooth = 0.5 * np.eye(N_MELS) + 0.25 * np.eye(N_MELS, k=1) + 0.25 * np.eye(N_MELS, k=-1)
    smooth /= smooth.sum(axis=0)
    return (0.5 * (smooth[:, 0::2] + smooth[:, 1::2])).astype(np.float32)


_PAIRS = _band_pairs()


@dataclass(frozen=True)
class LevelState:
    """A running mean spectrum of the speech.

    Attributes:
        mean: mean log-mel of the speech heard.
        weight_s: seconds of speech that the mean stands for.
        activity: state of the speech detector.
    """

    mean: Float32[ndarray, " 80"]
    weight_s: float
    activity: ActivityState


class Leveller:
    """Takes the slow mean of the speech out: loudness wholly, the shape of the spectrum by half.

    The mean starts from the enrolled person's (worth one and a half seconds) and follows what is heard with a memory of
    ten seconds of speech. Causal: frame j uses frames up to j.
    """

    def __init__(self, prior_mel: Float32[ndarray, " 80"]) -> None:
        """Args: prior_mel: mean log-mel of the enrolled person's speech."""
        self._prior = prior_mel
        self._activity = SpeechActivity()

    def init(self) -> LevelState:
        """State before the first frame."""
        return LevelState(self._prior, _PRIOR_S, self._activity.init())

    def step(self, state: LevelState, mel: Float32[ndarray, "t 80"]) -> tuple[LevelState, Float32[ndarray, "t 80"]]:
        """Take frames of `LogMel`, give the same frames levelled."""
        activity, active = self._activity.step(state.activity, mel)
        mean, weight_s = state.mean.copy(), state.weight_s
        means = np.empty_like(mel)
        for t, (frame, is_speech) in enumerate(zip(mel, active.tolist(), strict=True)):
            if is_speech:
                weight_s = min(weight_s + _SECONDS_PER_MEL, _MEMORY_S)
                mean += (frame - mean) * np.float32(_SECONDS_PER_MEL / weight_s)
            means[t] = mean
        level = means.mean(axis=1, keepdims=True)
        levelled = mel - (level + np.float32(_SPECTRUM_SHARE) * (means - level))
        return LevelState(mean, weight_s, activity), levelled


def speech_mean(mel: Float32[ndarray, "t 80"], of: Bool[ndarray, " t"] | None = None) -> Float32[ndarray, " 80"]:
    """Mean log-mel of the frames that hold speech (of all frames if none does), among the frames `of`."""
    activity = SpeechActivity()
    _, active = activity.step(activity.init(), mel)
    if of is not None:
        active &= of
    chosen = mel[active] if active.any() else mel
    return chosen.mean(axis=0, dtype=np.float64).astype(np.float32)


def _windows(levelled: Float32[ndarray, "n 80"], rows: Int[ndarray, "t 26"]) -> Float32[ndarray, "t 520"]:
    pairs = (levelled @ _PAIRS)[rows].reshape(len(rows), _N_WINDOW // 2, 2, N_MELS // 2)
    return pairs.mean(axis=2).reshape(len(rows), N_FEATURES)


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

    Pairs of frames and (smoothed) pairs of bands are averaged: 13 x 40 numbers. Fewer carry less over to other
    voices' formants, more carry over their pitch.

    Picture i is given when sample 640 i + 1800 has come: the whole look-ahead is 112.5 ms. Before the beginning
    and after the end there is silence.
    """

    def __init__(self, prior_mel: Float32[ndarray, " 80"]) -> None:
        """Args: prior_mel: mean log-mel of the enrolled person's speech."""
        self._logmel = LogMel()
        self._leveller = Leveller(prior_mel)
        self._silence = self._logmel.whole(np.zeros(1, np.float32))

    def init(self) -> FeatureState:
        """State before the first sample."""
        level = self._leveller.init()
        _, before = self._leveller.step(level, np.repeat(self._silence, LOOK_BACK, axis=0))
        return FeatureState(self._logmel.init(), level, before, 0, 0)

    def step(
        self, state: FeatureState, samples: Float32[ndarray, " n"]
    ) -> tuple[FeatureState, Float32[ndarray, "t 520"]]:
        """Take any number of samples, give the windows of the pictures that are complete."""
        logmel, mel = self._logmel.step(state.logmel, samples)
        level, levelled = self._leveller.step(state.level, mel)
        known = np.concatenate([state.waiting, levelled])
        n_ready = max(0, (len(known) - _N_WINDOW) // MELS_PER_FRAME + 1)
        rows = np.arange(n_ready)[:, None] * MELS_PER_FRAME + np.arange(_N_WINDOW)
        windows = _windows(known, rows)
        waiting = known[n_ready * MELS_PER_FRAME :]
        n_samples, n_pictures = state.n_samples + len(samples), state.n_pictures + n_ready
        return FeatureState(logmel, level, waiting, n_samples, n_pictures), windows

    def finish(self, state: FeatureState) -> Float32[ndarray, "t 520"]:
        """The windows that were waiting for their look-ahead: ceil(samples / 640) pictures in all."""
        n_left = frames_for_samples(state.n_samples) - state.n_pictures
        return self.step(state, np.zeros((LOOK_AHEAD + 2 * MELS_PER_FRAME) * HOP, np.float32))[1][:n_left]

    def of_mel(self, mel: Float32[ndarray, "n 80"], first: int, n_pictures: int) -> Float32[ndarray, "t 520"]:
        """Windows of pictures `first` ... `first + n_pictures - 1` of a whole sound's log-mel.

        The same as streaming where the window lies within the sound; pictures outside see silence.
        """
        _, levelled = self._leveller.step(self._leveller.init(), mel)
        _, silence = self._leveller.step(self._leveller.init(), self._silence)
        starts = MELS_PER_FRAME * np.arange(first, first + n_pictures) - LOOK_BACK
        rows = np.clip(starts[:, None] + np.arange(_N_WINDOW), -1, len(mel)) + 1
        return _windows(np.concatenate([silence, levelled, silence]), rows)

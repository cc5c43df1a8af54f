"""Log-mel without the slow mean of the voice: loudness, room and microphone."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float32
from numpy import ndarray

from locutor.speech.silence import ActivityState, SpeechActivity

_PRIOR_S, _MEMORY_S = 1.5, 10.0
_SPECTRUM_SHARE = 0.5  # how much of the mean spectrum's shape is taken out; its loudness is wholly
_SECONDS_PER_MEL = 0.01


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

    The mean starts from a given one (worth one and a half seconds) and follows what is heard with a memory of
    ten seconds of speech. Causal: frame j uses frames up to j.
    """

    def __init__(self, prior_mel: Float32[ndarray, " 80"]) -> None:
        """Args: prior_mel: mean log-mel of the speech that is expected."""
        self._prior = prior_mel
        self._activity = SpeechActivity()

    def init(self) -> LevelState:
        """State before the first frame."""
        return LevelState(self._prior, _PRIOR_S, self._activity.init())

    def restart(self, state: LevelState) -> LevelState:
        """State before another sound, likely of the same voice: what was heard stands where the given mean stood."""
        return LevelState(state.mean, _PRIOR_S, self._activity.init())

    def step(
        self, state: LevelState, mel: Float32[ndarray, "t 80"]
    ) -> tuple[LevelState, Float32[ndarray, "t 80"], Float32[ndarray, " t"]]:
        """Take frames of `LogMel`, give the same frames levelled, and how strange the voice is.

        Strangeness is the RMS difference between the shapes of the running mean and of the given one, natural log.
        """
        activity, active = self._activity.step(state.activity, mel)
        return self.follow(replace(state, activity=activity), mel, active)

    def follow(
        self, state: LevelState, mel: Float32[ndarray, "t 80"], active: Bool[ndarray, " t"]
    ) -> tuple[LevelState, Float32[ndarray, "t 80"], Float32[ndarray, " t"]]:
        """`step` for those who know already in which frames there is speech."""
        mean, weight_s = state.mean.copy(), state.weight_s
        means = np.empty_like(mel)
        for t, (frame, is_speech) in enumerate(zip(mel, active.tolist(), strict=True)):
            if is_speech:
                weight_s = min(weight_s + _SECONDS_PER_MEL, _MEMORY_S)
                mean += (frame - mean) * np.float32(_SECONDS_PER_MEL / weight_s)
            means[t] = mean
        level = means.mean(axis=1, keepdims=True)
        levelled = mel - (level + np.float32(_SPECTRUM_SHARE) * (means - level))
        strangeness = np.sqrt(np.square(means - level - (self._prior - self._prior.mean())).mean(axis=1))
        return LevelState(mean, weight_s, state.activity), levelled, strangeness


def speech_mean(mel: Float32[ndarray, "t 80"], of: Bool[ndarray, " t"] | None = None) -> Float32[ndarray, " 80"]:
    """Mean log-mel of the frames that hold speech (of all frames if none does), among the frames `of`."""
    activity = SpeechActivity()
    _, active = activity.step(activity.init(), mel)
    if of is not None:
        active &= of
    chosen = mel[active] if active.any() else mel
    return chosen.mean(axis=0, dtype=np.float64).astype(np.float32)

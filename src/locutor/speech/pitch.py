"""Pitch of the voice as a stream, by normalised autocorrelation."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from locutor.core.clock import SAMPLE_RATE

HOP = SAMPLE_RATE // 50  # 320 samples = 20 ms
_WINDOW = 3 * HOP  # 60 ms: two periods of a deep voice
_N_FFT = 2048
_LAGS = slice(SAMPLE_RATE // 500, SAMPLE_RATE // 60)  # 60-500 Hz
_PERIODIC = 0.5  # least autocorrelation of a voiced frame
_OCTAVE_COST = 0.1  # per doubling of the lag: the shortest of equal periods is the right one
_QUIET = 1e-4  # RMS of what counts as nothing

PitchState = Float32[ndarray, " _"]
"""Samples from the beginning of the next frame's window on."""


@dataclass(frozen=True)
class Pitch:
    """Pitch in Hz for each 20 ms, 0 where nothing is periodic (after Boersma 1993, without his path search).

    Frame j is centred on sample 320 j and sees [320 j - 480, 320 j + 480). What lies before the beginning is silence.
    """

    def init(self) -> PitchState:
        """State before the first sample."""
        return np.zeros(_WINDOW // 2, np.float32)

    def step(self, state: PitchState, samples: Float32[ndarray, " n"]) -> tuple[PitchState, Float32[ndarray, " t"]]:
        """Take any number of samples (16 kHz, mono), give the frames that are complete."""
        sound = np.concatenate([state, samples])
        n_ready = max(0, (len(sound) - _WINDOW) // HOP + 1)
        if n_ready == 0:
            return sound, np.zeros(0, np.float32)
        windows = np.lib.stride_tricks.sliding_window_view(sound, _WINDOW)[: n_ready * HOP : HOP]
        return sound[n_ready * HOP :], _pitch_hz(windows)


_HANN = np.hanning(_WINDOW + 2)[1:-1]


def _autocorrelation(windows: ndarray) -> ndarray:
    return np.fft.irfft(np.abs(np.fft.rfft(windows, _N_FFT)) ** 2)[..., : _LAGS.stop + 1]


_OF_WINDOW = _autocorrelation(_HANN) / _autocorrelation(_HANN)[0]


def _pitch_hz(windows: Float32[ndarray, "t 960"]) -> Float32[ndarray, " t"]:
    centred = (windows - windows.mean(axis=1, keepdims=True)) * _HANN
    found = _autocorrelation(centred)
    r = found / (found[:, :1] + 1e-12) / _OF_WINDOW
    lags = np.arange(_LAGS.start, _LAGS.stop)
    judged = r[:, _LAGS] - _OCTAVE_COST * np.log2(lags / _LAGS.start)
    best = judged.argmax(axis=1) + _LAGS.start
    rows = np.arange(len(r))
    left, middle, right = r[rows, best - 1], r[rows, best], r[rows, best + 1]
    curvature = left - 2 * middle + right
    shift = np.where(curvature < -1e-9, 0.5 * (left - right) / np.minimum(curvature, -1e-9), 0.0)
    loud = np.sqrt(np.square(windows).mean(axis=1)) > _QUIET
    voiced = (middle > _PERIODIC) & (left < middle) & (right <= middle) & loud
    return np.where(voiced, SAMPLE_RATE / (best + shift), 0.0).astype(np.float32)

"""Log-mel spectrum as a stream."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float, Float32
from numpy import ndarray

from locutor.core.clock import SAMPLE_RATE

N_MELS = 80
HOP = SAMPLE_RATE // 100  # 160 samples = 10 ms
WINDOW = SAMPLE_RATE // 40  # 400 samples = 25 ms
_N_FFT = 512
_LOW_HZ, _HIGH_HZ = 55.0, 7600.0
_FLOOR = 1e-6  # power; about -80 dB below full scale


@dataclass(frozen=True)
class LogMelState:
    """The sound that the next frames still need.

    Attributes:
        tail: samples from the beginning of the next frame's window on.
        n_frames: frames given so far.
    """

    tail: Float32[ndarray, " k"]
    n_frames: int


class LogMel:
    """Natural log of the power in `N_MELS` mel bands (HTK scale, 55-7600 Hz), 100 frames per second.

    Frame j is centred on sample `j * HOP`: its Hann window covers [160 j - 200, 160 j + 200). It is given as
    soon as sample 160 j + 199 has come: the look-ahead is half a window (12.5 ms) and nothing else. What lies
    before the first and after the last sample counts as silence. Sound of n samples has ceil(n / 160) frames.
    """

    def init(self) -> LogMelState:
        """State before the first sample."""
        return LogMelState(np.zeros(WINDOW // 2, np.float32), 0)

    def step(self, state: LogMelState, samples: Float32[ndarray, " n"]) -> tuple[LogMelState, Float32[ndarray, "t 80"]]:
        """Take any number of samples (16 kHz, mono, -1..1; not finite ones count as 0), give the complete frames."""
        sound = np.concatenate([state.tail, finite(samples)])
        n_ready = max(0, (len(sound) - WINDOW) // HOP + 1)
        if n_ready == 0:
            return LogMelState(sound, state.n_frames), np.zeros((0, N_MELS), np.float32)
        windows = np.lib.stride_tricks.sliding_window_view(sound, WINDOW)[: n_ready * HOP : HOP]
        power = np.abs(np.fft.rfft(windows * self._hann, _N_FFT)) ** 2
        mel = np.log(power.astype(np.float32) @ self._filters + np.float32(_FLOOR))
        return LogMelState(sound[n_ready * HOP :], state.n_frames + n_ready), mel

    def finish(self, state: LogMelState) -> Float32[ndarray, "t 80"]:
        """The frames that were waiting for the second half of their window."""
        n_left = -(-max(0, len(state.tail) - WINDOW // 2) // HOP)
        end = np.zeros(max(0, WINDOW + (n_left - 1) * HOP - len(state.tail)), np.float32)
        return self.step(state, end)[1][:n_left]

    def whole(self, samples: Float32[ndarray, " n"]) -> Float32[ndarray, "t 80"]:
        """All frames of a finished sound: the same as `step` and `finish`."""
        state, mel = self.step(self.init(), samples)
        return np.concatenate([mel, self.finish(state)])

    @cached_property
    def _hann(self) -> Float32[ndarray, " 400"]:
        return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)).astype(np.float32)

    @cached_property
    def _filters(self) -> Float32[ndarray, "257 80"]:
        """Triangles between neighbouring band edges."""
        edges_hz = _band_edges_hz()
        bins_hz = np.linspace(0, SAMPLE_RATE / 2, _N_FFT // 2 + 1)[:, None]
        rising = (bins_hz - edges_hz[:-2]) / (edges_hz[1:-1] - edges_hz[:-2])
        falling = (edges_hz[2:] - bins_hz) / (edges_hz[2:] - edges_hz[1:-1])
        return np.maximum(0, np.minimum(rising, falling)).astype(np.float32)


def finite(samples: Float32[ndarray, " n"]) -> Float32[ndarray, " n"]:
    """The samples with 0 where they are not finite: one such would stay in running means for ever."""
    good = np.isfinite(samples)
    return samples if good.all() else np.where(good, samples, np.float32(0))


def warp_formants(mel: Float32[ndarray, "t 80"], factor: float) -> Float32[ndarray, "t 80"]:
    """The spectrum of a voice whose resonances lie `factor` times as high (vocal-tract length perturbation)."""
    centres_hz = _band_edges_hz()[1:-1]
    source = np.interp(centres_hz / factor, centres_hz, np.arange(N_MELS))
    low = np.minimum(source.astype(int), N_MELS - 2)
    share = (source - low).astype(np.float32)
    return mel[:, low] * (1 - share) + mel[:, low + 1] * share


def _band_edges_hz() -> Float[ndarray, " 82"]:
    """Edges evenly spaced on the mel scale 2595 log10(1 + f / 700)."""
    low, high = (2595 * np.log10(1 + hz / 700) for hz in (_LOW_HZ, _HIGH_HZ))
    return 700 * (10 ** (np.linspace(low, high, N_MELS + 2) / 2595) - 1)

"""The sound that waits to be spoken: heard by the driver at 16 kHz, kept for the listener at 24 kHz.

The driver hears a sound before it is played (its look-ahead). Where sound came too late the driver was given silence;
the listener gets the same silence at the same place.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
import soxr
from jaxtyping import Float32, Int16, Shaped
from numpy import ndarray

from locutor.core.clock import SAMPLE_RATE
from locutor.core.errors import LocutorError

KEPT_RATE = 24_000
RATES = (8_000, 192_000)  # Hz
FULL_SCALE = 32767
QUIET = 0.01  # -40 dB: what may be left out where sound lags
LIVE_CHUNK_S = 0.1  # longer pieces are files, whose sound waits for its turn: their latency says nothing


class SoundError(LocutorError):
    """Sound that a session cannot take: too much of it, or of an impossible rate."""


class _Samples:
    """A queue of samples that is filled and emptied by pieces."""

    def __init__(self, kind: type[np.generic]) -> None:
        self._pieces: deque[ndarray] = deque()
        self._nothing = np.zeros(0, kind)
        self.n = 0

    def put(self, samples: Shaped[ndarray, " n"]) -> None:
        if len(samples):
            self._pieces.append(samples)
            self.n += len(samples)

    def put_back(self, samples: Shaped[ndarray, " n"]) -> None:
        if len(samples):
            self._pieces.appendleft(samples)
            self.n += len(samples)

    def take(self, n: int) -> Shaped[ndarray, " m"]:
        """The next n samples, fewer if there are fewer."""
        taken: list[ndarray] = []
        n = min(n, self.n)
        self.n -= n
        while n > 0:
            piece = self._pieces.popleft()
            if len(piece) > n:
                self._pieces.appendleft(piece[n:])
                piece = piece[:n]
            taken.append(piece)
            n -= len(piece)
        if len(taken) == 1:
            return taken[0]
        return np.concatenate(taken) if taken else self._nothing


class _Resampler:
    """A stream from one rate to another; none where they are the same."""

    def __init__(self, rate: int, to: int) -> None:
        self._stream = None if rate == to else soxr.ResampleStream(rate, to, 1)

    def step(self, samples: Float32[ndarray, " n"], last: bool = False) -> Float32[ndarray, " m"]:
        return samples if self._stream is None else self._stream.resample_chunk(samples, last=last)


@dataclass(frozen=True)
class Played:
    """The sound of one frame.

    Attributes:
        pcm: at `KEPT_RATE`.
        n_real: how many of the frame's 16 kHz samples are sound and not filling silence.
        arrived_s: when the first of them was pushed, for sound that comes in small pieces; else None.
    """

    pcm: Int16[ndarray, " n"]
    n_real: int
    arrived_s: float | None


class SoundLine:
    """Sound on its way through a session. `push` fills it, `hear` feeds the driver, `play` follows with the frames."""

    def __init__(self, limit_s: float) -> None:
        """Args: limit_s: seconds of sound that may wait."""
        self.limit_s = limit_s
        self.clear()

    def clear(self) -> None:
        """Drop everything."""
        self._rate = 0
        self._to_heard = self._to_kept = _Resampler(SAMPLE_RATE, SAMPLE_RATE)
        self._heard, self._kept = _Samples(np.float32), _Samples(np.int16)
        self._runs: deque[tuple[int, bool]] = deque()  # what the driver was given and was not played: length, is sound
        self._n_pushed = self._n_played = 0  # of real sound, 16 kHz
        self._arrivals: deque[tuple[int, float | None]] = deque()  # from that sample on it came then

    @property
    def waiting(self) -> int:
        """16 kHz samples that the driver has not heard."""
        return self._heard.n

    @property
    def unplayed(self) -> int:
        """16 kHz samples of sound that were not played."""
        return self._n_pushed - self._n_played

    def push(self, samples: Float32[ndarray, " n"], rate: int, now_s: float) -> None:
        """Append sound, mono, -1..1; what is not finite becomes 0.

        Raises:
            SoundError: too much sound waits already, or the rate is impossible.
        """
        if not RATES[0] <= rate <= RATES[1]:
            raise SoundError(f"sound of {rate} samples per second", "send 16000, 24000 or 48000")
        if (self.unplayed / SAMPLE_RATE + len(samples) / rate) > self.limit_s:
            raise SoundError(
                f"more than {self.limit_s:.0f} s of sound would wait to be spoken", "send it when some was played"
            )
        if rate != self._rate:
            self.end()
            self._rate = rate
            self._to_heard, self._to_kept = _Resampler(rate, SAMPLE_RATE), _Resampler(rate, KEPT_RATE)
        clean = np.clip(np.nan_to_num(samples, nan=0.0, posinf=0.0, neginf=0.0), -1, 1).astype(np.float32, copy=False)
        before = self._n_pushed
        self._put(self._to_heard.step(clean), self._to_kept.step(clean))
        is_live = len(samples) <= LIVE_CHUNK_S * rate
        self._arrivals.append((before, now_s if is_live else None))

    def end(self) -> None:
        """The sound ends here: what the resamplers hold back comes out."""
        if self._rate:
            nothing = np.zeros(0, np.float32)
            self._put(self._to_heard.step(nothing, last=True), self._to_kept.step(nothing, last=True))
            self._rate = 0

    def _put(self, heard: ndarray, kept: ndarray) -> None:
        self._heard.put(heard)
        self._kept.put(np.round(kept.clip(-1, 1) * FULL_SCALE).astype(np.int16))  # a minute of it takes 3 MB
        self._n_pushed += len(heard)

    def hear(self, n: int, lead: int = 0) -> Float32[ndarray, " n"]:
        """The next n samples for the driver, `lead` samples of silence first; silence fills what is missing."""
        sound = self._heard.take(n - lead)
        self._note(lead, False)
        self._note(len(sound), True)
        self._note(n - lead - len(sound), False)
        return np.concatenate([np.zeros(lead, np.float32), sound, np.zeros(n - lead - len(sound), np.float32)])

    def skip_quiet(self, n: int) -> bool:
        """Leave out the next n samples, for the driver and the listener, if they are quiet; whether they were."""
        sound = self._heard.take(n)
        if len(sound) < n or np.abs(sound).max() > QUIET:
            self._heard.put_back(sound)
            return False
        n_ahead = (self._n_pushed - n - self._heard.n - self._n_played) * KEPT_RATE // SAMPLE_RATE
        before = self._kept.take(n_ahead)
        self._kept.take(n * KEPT_RATE // SAMPLE_RATE)
        self._kept.put_back(before)
        place = self._n_pushed - n - self._heard.n
        self._n_pushed -= n
        self._arrivals = deque((max(place, at - n) if at > place else at, when) for at, when in self._arrivals)
        return True

    def unhear(self, n: int) -> None:
        """Take back the last n samples that `hear` gave; they must have been filling silence."""
        while n > 0:
            length, is_sound = self._runs.pop()
            assert not is_sound, "sound is not heard twice"
            if length > n:
                self._runs.append((length - n, False))
            n -= length

    def forget_silence(self) -> None:
        """Drop the filling silence that the driver heard and nobody listened to."""
        self.unhear(sum(length for length, _ in self._runs))

    def _note(self, length: int, is_sound: bool) -> None:
        if length == 0:
            return
        if self._runs and self._runs[-1][1] == is_sound:
            length += self._runs.pop()[0]
        self._runs.append((length, is_sound))

    def play(self, n: int) -> Played:
        """The listener's sound for the next n samples that the driver heard."""
        arrived_s = self._arrival()
        parts: list[ndarray] = []
        n_real, at, filled = 0, 0, 0
        while at < n:
            length, is_sound = self._runs.popleft() if self._runs else (n - at, False)
            if length > n - at:
                self._runs.appendleft((length - (n - at), is_sound))
                length = n - at
            at += length
            n_out = at * KEPT_RATE // SAMPLE_RATE - filled
            filled += n_out
            if is_sound:
                n_real += length
                sound = self._kept.take(n_out)
                parts.append(sound)
                if len(sound) < n_out:  # the resampler holds its last samples back
                    parts.append(np.zeros(n_out - len(sound), np.int16))
            else:
                parts.append(np.zeros(n_out, np.int16))
        self._n_played += n_real
        pcm = parts[0] if len(parts) == 1 else np.concatenate(parts or [np.zeros(0, np.int16)])
        return Played(pcm, n_real, arrived_s if n_real else None)

    def _arrival(self) -> float | None:
        """When the sound that is played next was pushed, as far as it was noted."""
        while len(self._arrivals) > 1 and self._arrivals[1][0] <= self._n_played:
            self._arrivals.popleft()
        return self._arrivals[0][1] if self._arrivals else None

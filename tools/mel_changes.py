"""Pieces of a corpus as they might sound elsewhere: changes that are cheap on log-mel, made anew for each piece."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float, Float32, Int
from numpy import ndarray
from scipy.ndimage import gaussian_filter1d
from scipy.signal import lfilter

from locutor.core.clock import SAMPLE_RATE
from locutor.media.logmel import N_MELS, LogMel, warp_formants

NOTHING = np.float32(np.log(1e-6))
REAL_SHARE = 0.1
N_NOISE_S = 30
N_BREATHS = 8  # ways of breathing
UNEVENNESS = 0.12  # of the speed within a piece, standard deviation of the log
Labels = tuple[ndarray, ndarray, ndarray]


class Changes:
    """Draws changed pieces."""

    def __init__(
        self, rng: np.random.Generator, babble: ndarray, real: Any = None, wordless: float = 0.06, n_tunes: int = 4
    ) -> None:
        """Args:
        rng: draws everything.
        babble: log-mel that other voices are taken from.
        real: a corpus heard in some pieces.
        wordless: share of the pieces in which nothing is said.
        n_tunes: of music.
        """
        self._rng, self._babble, self._real, self._wordless_share = rng, babble, real, wordless
        kinds = _noises(rng), music(rng, n_tunes), [breathing(rng), *(_breaths(rng) for _ in range(N_BREATHS))]
        self._kinds = [[LogMel().whole(sound) for sound in sounds] for sounds in kinds]
        self._noises = [mel for kind in self._kinds for mel in kind]

    def piece(self, corpus: Any, n: int) -> tuple[Float32[ndarray, "n 80"], ndarray, ndarray, ndarray]:
        """Log-mel with the classes, voicing and controls that belong to it."""
        rng = self._rng
        draw = rng.random()
        if draw < self._wordless_share / 2:
            return self._wordless(n)
        mel, classes, voiced, controls = self._spoken(corpus, n)
        if draw < self._wordless_share:  # the voice stops, what is no voice goes on
            at, rest = int(rng.integers(n // 8, n // 2)), self._wordless(n)
            loudness = np.float32(np.percentile(mel.mean(axis=1), 80) - np.percentile(rest[0].mean(axis=1), 80))
            rest = (np.maximum(rest[0] + loudness + np.float32(rng.uniform(-5, 1)), NOTHING), *rest[1:])
            mel, classes, voiced, controls = (
                np.concatenate([before[:at], after[at:]])
                for before, after in zip((mel, classes, voiced, controls), rest, strict=True)
            )
        return mel, classes, voiced, controls

    def _spoken(self, corpus: Any, n: int) -> tuple[Float32[ndarray, "n 80"], ndarray, ndarray, ndarray]:
        rng = self._rng
        if self._real is not None and rng.random() < REAL_SHARE:
            corpus = self._real
        speed = rng.uniform(0.85, 1.2)
        uneven = np.exp(UNEVENNESS * np.interp(np.arange(n), np.linspace(0, n, n // 25), rng.standard_normal(n // 25)))
        passed = speed * np.cumsum(uneven)
        start = rng.integers(0, max(1, len(corpus.mel) - round(passed[-1]) - 1))
        times = np.minimum(start + passed, len(corpus.mel) - 1.001)
        low, share = times.astype(int), (times % 1)[:, None].astype(np.float32)
        mel = corpus.mel[low].astype(np.float32) * (1 - share) + corpus.mel[low + 1].astype(np.float32) * share
        nearest = np.round(times).astype(int)
        labels = corpus.classes[nearest], corpus.voiced[nearest], corpus.controls[nearest].astype(np.float32)
        return self._changed(warp_formants(mel, rng.uniform(0.84, 1.19))), *labels

    def _changed(self, mel: Float32[ndarray, "n 80"]) -> Float32[ndarray, "n 80"]:
        rng = self._rng
        mel = mel + np.interp(np.arange(N_MELS), np.linspace(0, N_MELS, 7), rng.normal(0, 0.8, 7)).astype(np.float32)
        if rng.random() < 0.3:  # harmonics less or more distinct: another pitch
            smooth = gaussian_filter1d(mel, rng.uniform(0.5, 1.5), axis=1)
            mel = smooth + np.float32(rng.choice([0.0, 0.4])) * (mel - smooth)
        level = float(np.percentile(mel.mean(axis=1), 80))
        if rng.random() < 0.6:
            noise = self._noise(len(mel))
            loudness = level - np.log(10) / 10 * rng.uniform(-2, 30)
            mel = np.logaddexp(mel, noise - noise.mean() + np.float32(loudness))
        if rng.random() < 0.12:
            mel[:, rng.integers(45, 75) :] = NOTHING
        mel = np.maximum(mel + np.float32(rng.uniform(-3, 1.5)), NOTHING)
        mel += rng.normal(0, rng.uniform(0, 0.25), mel.shape).astype(np.float32)
        if rng.random() < 0.4:
            band = rng.integers(0, N_MELS - 12)
            mel[:, band : band + rng.integers(2, 12)] = mel.mean()
        if rng.random() < 0.3:
            at = rng.integers(0, len(mel) - 12)
            mel[at : at + rng.integers(2, 10)] = mel.mean()
        return mel

    def _noise(self, n: int) -> Float32[ndarray, "n 80"]:
        rng = self._rng
        if rng.random() < 0.3:
            voices = [self._cut(self._babble, n).astype(np.float32) for _ in range(rng.integers(1, 5))]
            return np.logaddexp.reduce(voices)
        return self._cut(self._noises[rng.integers(len(self._noises))], n)

    def _wordless(self, n: int) -> tuple[Float32[ndarray, "n 80"], ndarray, ndarray, ndarray]:
        """Noise, music, breath or nothing: the mouth is closed."""
        kind = self._kinds[self._rng.integers(len(self._kinds))]
        mel = self._cut(kind[self._rng.integers(len(kind))], n) + np.float32(self._rng.uniform(-9, 1))
        mel = np.maximum(mel, NOTHING)
        return mel, np.zeros(n, np.uint8), np.zeros(n, bool), np.zeros((n, 11), np.float32)

    def _cut(self, mel: ndarray, n: int) -> ndarray:
        start = self._rng.integers(0, len(mel) - n)
        return mel[start : start + n]


def _noises(rng: np.random.Generator) -> list[Float32[ndarray, " n"]]:
    """Steady noises of many colours, some swelling."""
    n, found = N_NOISE_S * SAMPLE_RATE, []
    for _ in range(10):
        white = rng.standard_normal(n)
        coloured = lfilter([1], np.poly(rng.uniform(-0.6, 0.97, 2)), white)
        swell = np.exp(gaussian_filter1d(rng.standard_normal(n // 160), 30).repeat(160) * rng.choice([0, 4]))
        found.append(_scaled(coloured * swell))
    return found


def music(rng: np.random.Generator, n_tunes: int) -> list[Float32[ndarray, " n"]]:
    """Chords, every other tune plucked or bowed."""
    return [_scaled(_tune(rng, bowed=k % 2 == 1)) for k in range(n_tunes)]


def _tune(rng: np.random.Generator, bowed: bool) -> Float[ndarray, " n"]:
    sound = np.zeros(N_NOISE_S * SAMPLE_RATE)
    at = 0
    while at < len(sound):
        n = round(rng.uniform(0.15, 0.8) * SAMPLE_RATE)
        times = np.arange(2 * n) / SAMPLE_RATE
        envelope = np.sin(np.pi * np.arange(2 * n) / (2 * n)) if bowed else np.exp(-times * rng.uniform(2, 10))
        for key in rng.integers(-20, 20, rng.integers(1, 5)):
            pitch_hz = 261.6 * 2 ** (key / 12)
            tones = sum(np.sin(2 * np.pi * pitch_hz * k * times) / k ** rng.uniform(0.7, 2) for k in range(1, 12))
            room = min(2 * n, len(sound) - at)
            sound[at : at + room] += (envelope * tones)[:room]
        at += n
    return sound


def breathing(rng: np.random.Generator) -> Float32[ndarray, " n"]:
    n = N_NOISE_S * SAMPLE_RATE
    breath: Int[ndarray, " n"] = np.arange(n)
    swell = np.maximum(0, np.sin(2 * np.pi * breath / (2.8 * SAMPLE_RATE))) ** 2
    return _scaled(lfilter([1, -0.6], [1, -0.5, 0.3], rng.standard_normal(n)) * swell + 1e-3 * rng.standard_normal(n))


def _breaths(rng: np.random.Generator) -> Float32[ndarray, " n"]:
    """In and out at a rate and in colours of its own, the pauses and depths uneven."""
    n, found, at = N_NOISE_S * SAMPLE_RATE, np.zeros(N_NOISE_S * SAMPLE_RATE), 0
    while at < n:
        length = int(rng.uniform(0.4, 2.0) * SAMPLE_RATE)
        poles = rng.uniform(0.3, 0.92, 2) * np.exp(1j * rng.uniform(0.2, 2.6, 2))
        breath = lfilter(
            [1, -rng.uniform(0, 0.9)], np.real(np.poly([*poles, *poles.conj()])), rng.standard_normal(length)
        )
        breath *= np.sin(np.pi * np.arange(length) / length) ** rng.uniform(0.5, 3) * rng.uniform(0.2, 1) / breath.std()
        room = min(length, n - at)
        found[at : at + room] = breath[:room]
        at += length + int(rng.uniform(0, 1.5) * SAMPLE_RATE)
    return _scaled(found + 10 ** rng.uniform(-4, -2) * rng.standard_normal(n))


def _scaled(sound: Float[ndarray, " n"]) -> Float32[ndarray, " n"]:
    return (0.1 * sound / sound.std()).astype(np.float32)

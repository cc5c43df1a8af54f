"""What is said when it need not be recognised: phonemes with their times, from a synthesiser."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32
from numpy import ndarray
from scipy.ndimage import gaussian_filter1d, maximum_filter1d

from locutor.core.clock import FPS
from locutor.drive.prior import shapes_of_classes
from locutor.speech.phonemes import Phoneme
from locutor.speech.phonetic_classes import CLASSES, class_track

RATE = 100  # classes per second
BLUR_S, LEAD_S = 0.04, 0.04  # the blur as in tools/generic_mouth.py
AHEAD_S = 0.1  # the gate opens before the first sound, as it does for heard speech
SHORT_PAUSE_S = 0.2  # not worth closing the mouth for
_LIPS_MEET = [k for k, (name, _) in enumerate(CLASSES) if name in ("p b", "m")]


@dataclass(frozen=True)
class KnownSpeech:
    """What a generic mouth does for each picture.

    Attributes:
        mouth: displacement of the mouth rows of `Motion.face`, inter-ocular units.
        closure: 1 where p, b or m is said.
        is_speech: whether something is said, or begins within 100 ms.
    """

    mouth: Float32[ndarray, "T 58 2"]
    closure: Float32[ndarray, " T"]
    is_speech: Bool[ndarray, " T"]

    @staticmethod
    def of_phonemes(phonemes: Sequence[Phoneme], end_s: float, n_pictures: int) -> KnownSpeech:
        """Shapes that blur into each other over 40 ms and run 40 ms ahead of the sound.

        Args:
            phonemes: in order of time.
            end_s: when the last one ends.
            n_pictures: how many pictures there are, at `FPS`.

        Raises:
            SpeechError: a phoneme is in no class of sounds.
        """
        times_s = np.arange(round((n_pictures / FPS + 1) * RATE)) / RATE
        classes, _ = class_track(phonemes, end_s, times_s)
        shapes = gaussian_filter1d(shapes_of_classes()[classes], BLUR_S * RATE, axis=0)
        meet = np.isin(classes, _LIPS_MEET).astype(np.float32)
        said = _bridged(np.asarray(classes != 0))
        pictures = np.arange(n_pictures) * RATE // FPS
        n_ahead = round(AHEAD_S * RATE)
        windows = np.lib.stride_tricks.sliding_window_view(np.pad(said, (0, n_ahead)), n_ahead + 1)
        soon = np.asarray(windows.any(axis=1))
        return KnownSpeech(
            mouth=shapes[pictures + round(LEAD_S * RATE)].astype(np.float32),
            closure=maximum_filter1d(meet, RATE // FPS)[pictures + round(LEAD_S * RATE / 2)],
            is_speech=soon[pictures],
        )


def _bridged(said: Bool[ndarray, " n"]) -> Bool[ndarray, " n"]:
    """Pauses too short to close the mouth count as speech."""
    edges = np.flatnonzero(np.diff(said.astype(np.int8)))
    filled = said.copy()
    for first, last in itertools.pairwise(edges):
        if not said[first + 1] and last - first < SHORT_PAUSE_S * RATE:
            filled[first : last + 1] = True
    return filled

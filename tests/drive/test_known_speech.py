"""A speech whose phonemes are known."""

import numpy as np
import pytest

from locutor.core.face import MOUTH_SLICE
from locutor.drive.known_speech import KnownSpeech
from locutor.drive.voice import lip_gap
from locutor.speech.phonemes import Phoneme, SpeechError

MAMA = [
    *(Phoneme(symbol, at_s) for symbol, at_s in (("", 0.0), ("m", 0.4), ("ˈaː", 0.5), ("m", 0.8), ("a", 0.9))),
    Phoneme("", 1.2),
]
END_S, N = 2.4, 60
"""Silence, mama, silence."""


def test_shapes_follow_the_phonemes():
    known = KnownSpeech.of_phonemes(MAMA, END_S, N)
    gap = lip_gap(known.mouth)
    assert gap[15:18].min() > gap[11] + 0.02  # the first a against the first m
    assert gap[20] < gap[16] - 0.02
    assert known.closure[[10, 20]].tolist() == [1, 1]
    assert known.closure[[5, 16, 25, 40]].max() == 0
    assert not known.is_speech[:7].any()
    assert known.is_speech[8:30].all()
    assert not known.is_speech[31:].any()


def test_short_pauses_are_no_pauses():
    def said(pause_s: float) -> int:
        phonemes = [Phoneme("a", 0.0), Phoneme("", 0.4), Phoneme("a", 0.4 + pause_s), Phoneme("", 1.5)]
        return int(KnownSpeech.of_phonemes(phonemes, 2.0, 50).is_speech[:30].sum())

    assert said(0.15) == 30
    assert said(0.6) < 30


def test_the_person_says_it(speech_driver, voice_model):
    motion = speech_driver.said(MAMA, END_S, N, seed=2)
    (face,) = motion.require("face")
    low, high = voice_model.gap_range
    share = (lip_gap(face[:, MOUTH_SLICE]) - low) / (high - low)
    assert len(motion) == N
    assert share[[10, 20]].max() < 0.15  # both m
    assert share[14:18].max() > 0.3
    assert share[36:].max() < 0.05
    unspoken = speech_driver.rest(speech_driver.init(2), N)[1]
    np.testing.assert_array_equal(motion.head_wxyz, unspoken.head_wxyz)


def test_sounds_of_no_class():
    with pytest.raises(SpeechError, match="no class has the letter"):
        KnownSpeech.of_phonemes([Phoneme("♫", 0.0)], 1.0, 25)

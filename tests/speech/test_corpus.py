"""The training corpus of the phonetic encoder: what its tools make, in small."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))
import mel_changes
import speech_corpus
from locutor.speech.phonemes import Phoneme
from locutor.speech.voices import TEST_VOICES


def test_no_voice_is_both_learnt_and_tested():
    learnt = speech_corpus._training_voices(np.random.default_rng(0), 1.0)
    assert not set(learnt) & set(TEST_VOICES)
    for voices in speech_corpus.HELD_OUT.values():
        assert set(voices) <= set(TEST_VOICES)


def test_labels_lie_where_the_sounds_are():
    rng = np.random.default_rng(0)
    samples = np.zeros(16_000, np.float32)
    samples[4_000:12_000] = 0.1 * rng.standard_normal(8_000)
    phonemes = [Phoneme("", 0.0), Phoneme("ˈa", 0.25), Phoneme("m", 0.5), Phoneme("", 0.75)]
    mel, classes, voiced, controls = speech_corpus.labelled_mel(samples, phonemes, 1.0)
    assert len(mel) == len(classes) == len(voiced) == len(controls) == 100
    loud = mel.astype(np.float32).mean(axis=1) > -8
    assert np.array_equal(loud[3:-3], (classes != 0)[3:-3]) or np.mean(loud != (classes != 0)) < 0.04
    assert controls[30:40, 0].mean() > 0.2
    assert controls[55:65, 0].mean() < 0.15


@pytest.fixture(scope="module")
def corpus() -> object:
    rng = np.random.default_rng(1)
    n = 3_000
    fields = {
        "mel": rng.normal(-6, 2, (n, 80)).astype(np.float16),
        "classes": (np.arange(n) // 50 % 23).astype(np.uint8),
        "voiced": np.arange(n) % 100 < 50,
        "controls": np.zeros((n, 11), np.float16),
    }
    return type("Piece", (), fields)()


def test_changed_pieces_are_finite_and_of_one_length(corpus, monkeypatch):
    monkeypatch.setattr(mel_changes, "N_NOISE_S", 5)
    changes = mel_changes.Changes(np.random.default_rng(0), corpus.mel)
    for _ in range(30):
        mel, classes, voiced, controls = changes.piece(corpus, 400)
        assert mel.shape == (400, 80)
        assert len(classes) == len(voiced) == len(controls) == 400
        assert np.isfinite(mel).all()
        assert mel.min() > -16

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from locutor.drive.features import N_MEL_FEATURES, N_PHONETIC_FEATURES, Heard, MouthFeatures, Sound
from locutor.media.logmel import LogMel
from locutor.speech.level import speech_mean

SOUND = (np.random.default_rng(1).normal(size=24000) * np.sin(np.arange(24000) / 900) ** 2).astype(np.float32) / 10
PRIOR = speech_mean(LogMel().whole(SOUND))


NAMES = ("mel", "phonetic", "closure", "is_speech", "strangeness", "doubt", "usual")


def joined(parts: list[Heard]) -> Heard:
    return Heard(*(np.concatenate([getattr(part, name) for part in parts]) for name in NAMES))


def assert_alike(a: Heard, b: Heard) -> None:
    np.testing.assert_allclose(a.mel, b.mel, atol=1e-4)
    np.testing.assert_allclose(a.phonetic, b.phonetic, atol=1e-5)
    np.testing.assert_allclose(a.closure, b.closure, atol=1e-5)
    np.testing.assert_array_equal(a.is_speech, b.is_speech)
    np.testing.assert_allclose(a.strangeness, b.strangeness, atol=1e-5)
    np.testing.assert_array_equal(a.doubt, b.doubt)
    np.testing.assert_allclose(a.usual, b.usual, atol=1e-5)


@settings(max_examples=15, deadline=None)
@given(n=st.integers(0, 24000), cuts=st.lists(st.integers(0, 24000), max_size=8))
def test_any_chunking_equals_one_call(n, cuts):
    features = MouthFeatures(PRIOR)
    state, parts = features.init(), []
    for chunk in np.split(SOUND[:n], sorted(min(c, n) for c in cuts)):
        state, heard = features.step(state, chunk)
        parts.append(heard)
    streamed = joined([*parts, features.finish(state)])
    assert streamed.mel.shape == (-(-n // 640), N_MEL_FEATURES)
    assert streamed.phonetic.shape == (-(-n // 640), N_PHONETIC_FEATURES)
    state, first = features.step(features.init(), SOUND[:n])
    assert_alike(streamed, joined([first, features.finish(state)]))


def test_training_windows_are_the_streamed_ones():
    features = MouthFeatures(PRIOR)
    sound = SOUND[: 20 * 640]
    state, streamed = features.step(features.init(), sound)
    whole = Sound.hear(sound)
    offline = features.of_sound(whole, 0, 20)
    assert_alike(streamed, offline[: len(streamed)])
    assert state.n_pictures == len(streamed) == 18  # the others wait for their look-ahead
    assert_alike(features.of_sound(whole, 3, 10), offline[3:13])
    outside = features.of_sound(whole, 500, 2)
    assert not outside.is_speech.any()
    assert not outside.phonetic.any()


def test_a_voice_is_doubtful_until_two_seconds_of_it_were_heard_once():
    features = MouthFeatures(PRIOR)
    rng = np.random.default_rng(2)
    quiet, loud = (amplitude * rng.normal(size=16_000).astype(np.float32) for amplitude in (1e-4, 0.1))
    state, heard = features.step(features.init(), np.concatenate([quiet, loud, quiet, loud, loud]))
    n_ahead = 3  # pictures: a picture's doubt is that of its own frames, its loudness may be heard ahead
    assert (heard.doubt[: 25 - n_ahead] == 1).all()
    assert (heard.doubt[50 + n_ahead : 75 - n_ahead] < 0.7).all()
    assert np.ptp(heard.doubt[50 + n_ahead : 75 - n_ahead]) < 0.05  # nothing is learnt from silence
    assert (np.diff(heard.doubt) <= 0).all()
    assert heard.doubt[-1] == 0
    assert features.step(features.restart(state), loud)[1].doubt.max() == 0
    assert features.step(features.init(), loud)[1].doubt[0] > 0.9


@pytest.mark.parametrize("gain_db", [-12, 12])
def test_loudness_is_levelled(gain_db):
    features = MouthFeatures(PRIOR)
    long = np.tile(SOUND, 10)
    base = features.of_sound(Sound.hear(long), 0, 300)[200:].mel
    changed = features.of_sound(Sound.hear(np.float32(10 ** (gain_db / 20)) * long), 0, 300)[200:].mel
    unlevelled = abs(gain_db) / 10 * np.log(10)
    assert np.abs(changed - base).mean() < 0.25 * unlevelled

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from locutor.drive.features import N_FEATURES, MouthFeatures, speech_mean
from locutor.media.logmel import LogMel

SOUND = (np.random.default_rng(1).normal(size=24000) * np.sin(np.arange(24000) / 900) ** 2).astype(np.float32) / 10
PRIOR = speech_mean(LogMel().whole(SOUND))


@settings(max_examples=25, deadline=None)
@given(n=st.integers(0, 24000), cuts=st.lists(st.integers(0, 24000), max_size=8))
def test_any_chunking_equals_one_call(n, cuts):
    features = MouthFeatures(PRIOR)
    state, parts = features.init(), []
    for chunk in np.split(SOUND[:n], sorted(min(c, n) for c in cuts)):
        state, windows = features.step(state, chunk)
        parts.append(windows)
    parts.append(features.finish(state))
    streamed = np.concatenate(parts)
    assert streamed.shape == (-(-n // 640), N_FEATURES)
    state, first = features.step(features.init(), SOUND[:n])
    np.testing.assert_allclose(streamed, np.concatenate([first, features.finish(state)]), atol=1e-4)


def test_training_windows_are_the_streamed_ones():
    features = MouthFeatures(PRIOR)
    n = 20 * 640
    state, streamed = features.step(features.init(), SOUND[:n])
    offline = features.of_mel(LogMel().whole(SOUND[:n]), 0, 20)
    np.testing.assert_allclose(streamed, offline[: len(streamed)], atol=1e-4)
    assert state.n_pictures == len(streamed) == 18  # the others wait for their look-ahead
    shifted = features.of_mel(LogMel().whole(SOUND[:n]), 3, 10)
    np.testing.assert_allclose(shifted, offline[3:13], atol=1e-6)


@pytest.mark.parametrize("gain_db", [-12, 12])
def test_loudness_is_levelled(gain_db):
    features = MouthFeatures(PRIOR)
    long = np.tile(SOUND, 10)
    base = features.of_mel(LogMel().whole(long), 0, 300)[200:]
    changed = features.of_mel(LogMel().whole(np.float32(10 ** (gain_db / 20)) * long), 0, 300)[200:]
    unlevelled = abs(gain_db) / 10 * np.log(10)
    assert np.abs(changed - base).mean() < 0.25 * unlevelled

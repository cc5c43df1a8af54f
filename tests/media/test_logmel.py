import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from locutor.media.logmel import HOP, LogMel

FRONTEND = LogMel()
NOISE = np.random.default_rng(0).normal(0, 0.1, 9000).astype(np.float32)


@settings(max_examples=40, deadline=None)
@given(n=st.integers(0, 9000), cuts=st.lists(st.integers(0, 9000), max_size=12))
def test_any_chunking_equals_one_call(n, cuts):
    state, parts = FRONTEND.init(), []
    for chunk in np.split(NOISE[:n], sorted(min(c, n) for c in cuts)):
        state, mel = FRONTEND.step(state, chunk)
        parts.append(mel)
    parts.append(FRONTEND.finish(state))
    streamed = np.concatenate(parts)
    assert len(streamed) == -(-n // HOP)
    np.testing.assert_allclose(streamed, FRONTEND.whole(NOISE[:n]), atol=1e-4)


def test_a_click_is_centred_on_its_frame():
    for j in (0, 7, 50):
        sound = np.zeros(16000, np.float32)
        sound[j * HOP] = 1
        assert int(FRONTEND.whole(sound).mean(1).argmax()) == j


def test_look_ahead_is_half_a_window():
    mel = FRONTEND.whole(NOISE)
    for j in (3, 20):
        changed = NOISE.copy()
        changed[j * HOP + 200 :] = 0
        np.testing.assert_array_equal(FRONTEND.whole(changed)[j], mel[j])
        state, now = FRONTEND.step(FRONTEND.init(), NOISE[: j * HOP + 200])
        assert len(now) == state.n_frames == j + 1


def test_a_tone_lights_the_band_of_its_frequency():
    t = np.arange(16000) / 16000
    peaks = [FRONTEND.whole(np.sin(2 * np.pi * f * t).astype(np.float32))[50].argmax() for f in (200, 1000, 5000)]
    centres_mel = np.linspace(2595 * np.log10(1 + 55 / 700), 2595 * np.log10(1 + 7600 / 700), 82)[1:-1]
    centres_hz = 700 * (10 ** (centres_mel / 2595) - 1)
    np.testing.assert_allclose(centres_hz[peaks], (200, 1000, 5000), rtol=0.12)


def test_silence_is_the_floor():
    assert np.allclose(FRONTEND.whole(np.zeros(3200, np.float32)), np.log(1e-6))

import numpy as np
import pytest
from scipy.signal import lfilter

from locutor.media.audio import read_audio
from locutor.media.logmel import LogMel
from locutor.speech.silence import PictureActivity, SpeechActivity

RNG = np.random.default_rng(0)


def activity(sound: np.ndarray) -> np.ndarray:
    detector = SpeechActivity()
    return detector.step(detector.init(), LogMel().whole(sound.astype(np.float32)))[1]


def bursts(n_samples: int, gap: slice | None = None) -> np.ndarray:
    """Syllables of coloured noise, four per second."""
    syllables = 0.02 + np.clip(np.sin(2 * np.pi * 4 * np.arange(n_samples) / 16000), 0, 1)
    sound = 0.05 * lfilter([1], [1, -0.8], RNG.normal(size=n_samples)) * syllables
    if gap:
        sound[gap] = 0
    return sound


def test_digital_silence_is_no_speech():
    assert not activity(np.zeros(48000)).any()


@pytest.mark.parametrize("level_db", [-70, -60, -50, -45])
def test_low_steady_noise_is_no_speech(level_db):
    assert not activity(RNG.normal(0, 10 ** (level_db / 20), 96000)).any()


def test_loud_steady_noise_is_learnt_within_a_second():
    decisions = activity(RNG.normal(0, 10 ** (-30 / 20), 96000))
    assert not decisions[110:].any()


@pytest.mark.parametrize("noise_db", [-90, -60, -45])
def test_speech_in_noise_and_its_pause(noise_db):
    sound = bursts(16000 * 6, slice(48000, 64000)) + RNG.normal(0, 10 ** (noise_db / 20), 16000 * 6)
    picture = PictureActivity(look_ahead=10)
    state, first = picture.step(picture.init(), sound.astype(np.float32))
    speech = np.concatenate([first, picture.finish(state)])
    assert len(speech) == 150
    assert speech[2:72].all()
    assert speech[2:82].all()  # the pause lasts from 75 to 100; its beginning is bridged
    assert not speech[88:97].any()
    assert speech[101:].all()


def test_a_click_is_not_speech():
    sound = np.zeros(32000)
    sound[16000] = 0.5
    assert not activity(sound).any()


@pytest.mark.parametrize("chunk", [100, 640, 5000])
def test_chunks_do_not_matter(chunk):
    sound = bursts(30_001).astype(np.float32)
    picture = PictureActivity(look_ahead=10)
    state, parts = picture.init(), []
    for start in range(0, len(sound), chunk):
        state, speech = picture.step(state, sound[start : start + chunk])
        parts.append(speech)
    parts.append(picture.finish(state))
    state, whole = picture.step(picture.init(), sound)
    np.testing.assert_array_equal(np.concatenate(parts), np.concatenate([whole, picture.finish(state)]))


def test_only_the_look_ahead_is_seen():
    sound = np.zeros(32000, np.float32)
    sound[16000:] = bursts(16000)
    picture = PictureActivity(look_ahead=10)
    speech = picture.step(picture.init(), sound)[1]
    onset = int(np.argmax(speech))
    assert 25 - 3 <= onset <= 25 + 1


@pytest.mark.real
def test_real_speech_is_mostly_speech(media_dir):
    for name in ("librivox_en_1.wav", "french2.wav", "korean2.wav", "noisy_meeting_snr_10.wav"):
        assert 0.5 < activity(read_audio(media_dir / "audio" / name)).mean() < 0.99

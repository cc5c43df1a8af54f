import numpy as np
import pytest
from scipy.signal import lfilter

from locutor.media.audio import read_audio
from locutor.media.logmel import LogMel
from locutor.speech.silence import SpeechActivity

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
    decisions = activity(sound)
    assert decisions[100:290].mean() > 0.4
    assert not decisions[330:395].any()  # the pause lasts from 300 to 400
    assert decisions[410:].mean() > 0.4


def test_a_click_is_not_speech():
    sound = np.zeros(32000)
    sound[16000] = 0.5
    assert not activity(sound).any()


@pytest.mark.real
def test_real_speech_is_mostly_speech(media_dir):
    for name in ("librivox_en_1.wav", "french2.wav", "korean2.wav", "noisy_meeting_snr_10.wav"):
        assert 0.5 < activity(read_audio(media_dir / "audio" / name)).mean() < 0.99

import numpy as np
import pytest

from locutor.media.logmel import HOP
from locutor.speech.encoder import LOOK_AHEAD_S, PhoneticEncoder, PhoneticFrames
from locutor.speech.phonemes import Phoneme, SpeechError
from locutor.speech.phonetic_classes import CLASSES, VISEMES, class_track, letters_of, viseme_of_class
from locutor.speech.pitch import Pitch

RATE = 16000


@pytest.fixture(scope="module")
def encoder() -> PhoneticEncoder:
    return PhoneticEncoder()


def babble(seconds: float, seed: int = 0) -> np.ndarray:
    """Voiced and hissing stretches with gaps; not speech, but nothing in it is constant."""
    rng = np.random.default_rng(seed)
    n = round(seconds * RATE)
    t = np.arange(n) / RATE
    buzz = np.sign(np.sin(2 * np.pi * (110 + 30 * np.sin(2 * np.pi * 0.7 * t)) * t))
    swell = np.maximum(0, np.sin(2 * np.pi * 3.1 * t)) + 0.3 * (np.sin(2 * np.pi * 0.4 * t) > 0)
    return (0.05 * swell * buzz + 0.01 * rng.normal(size=n) * (t % 0.7 > 0.5)).astype(np.float32)


def streamed(encoder: PhoneticEncoder, sound: np.ndarray, chunk: int) -> PhoneticFrames:
    state, parts = encoder.init(), []
    for start in range(0, len(sound), chunk):
        state, frames = encoder.step(state, sound[start : start + chunk])
        parts.append(frames)
    parts.append(encoder.finish(state))
    return PhoneticFrames(**{name: np.concatenate([vars(part)[name] for part in parts]) for name in vars(parts[0])})


@pytest.mark.parametrize("chunk", [1, 160, 320, 999, 7777])
def test_any_chunking_equals_offline(encoder, chunk):
    sound = babble(0.03 if chunk == 1 else 2.013)
    whole, parts = encoder.whole(sound), streamed(encoder, sound, chunk)
    assert len(whole) == len(parts) == -(-len(sound) // 320)
    for name, array in vars(whole).items():
        tolerance = 1e-4 if name == "energy_db" else 1e-5
        np.testing.assert_allclose(vars(parts)[name], array, atol=tolerance, err_msg=name)


@pytest.mark.parametrize("frame", [7, 60])
def test_look_ahead_is_what_it_says(encoder, frame):
    sound = babble(2)
    needed = 320 * frame + round(LOOK_AHEAD_S * RATE)
    changed = sound.copy()
    changed[needed:] = np.random.default_rng(1).normal(size=len(changed) - needed)
    a, b = encoder.whole(sound), encoder.whole(changed)
    np.testing.assert_allclose(a.hidden[: frame + 1], b.hidden[: frame + 1], atol=1e-5)
    assert np.abs(a.hidden[frame + 1 :] - b.hidden[frame + 1 :]).max() > 1e-3
    assert LOOK_AHEAD_S < 0.12


def test_frames_come_when_their_look_ahead_has(encoder):
    sound = babble(1)
    for n in (1479, 1480, 320 + 1479, 320 + 1480):
        _, frames = encoder.step(encoder.init(), sound[:n])
        assert len(frames) == (n - 1480) // 320 + 1


def test_posteriors_sum_to_one_and_silence_is_silence(encoder):
    frames = encoder.whole(np.zeros(2 * RATE, np.float32))
    np.testing.assert_allclose(frames.classes.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(frames.visemes.sum(axis=1), 1, atol=1e-5)
    assert frames.speech[10:].max() < 0.2
    assert frames.controls[10:].max() < 0.1


def test_no_sound_gives_no_frames(encoder):
    assert len(encoder.whole(np.zeros(0, np.float32))) == 0


@pytest.mark.parametrize("pitch_hz", [75.0, 123.0, 220.0, 410.0])
def test_pitch_of_a_buzz(pitch_hz):
    t = np.arange(RATE) / RATE
    buzz = sum(np.sin(2 * np.pi * k * pitch_hz * t) / k for k in range(1, 12)).astype(np.float32)
    pitch = Pitch()
    _, found = pitch.step(pitch.init(), buzz)
    np.testing.assert_allclose(found[3:-3], pitch_hz, rtol=0.01)
    noise = np.random.default_rng(0).normal(size=RATE).astype(np.float32)
    assert np.mean(pitch.step(pitch.init(), noise)[1] > 0) < 0.1
    assert not pitch.step(pitch.init(), np.zeros(RATE, np.float32))[1].any()


def test_every_class_has_one_viseme():
    names = [name for name, _ in CLASSES]
    members = [member for _, classes in VISEMES for member in classes]
    assert sorted(members) == sorted(names)
    assert set(viseme_of_class()) == set(range(len(VISEMES)))


def test_class_track_splits_affricates_and_knows_pauses():
    names = [name for name, _ in CLASSES]
    track = [Phoneme("", 0.0), Phoneme("tʃ", 0.1), Phoneme("ˈɪː", 0.3), Phoneme("", 0.4)]
    classes, voiced = class_track(track, 0.5, np.array([0.05, 0.11, 0.25, 0.35, 0.45, 0.6]))
    assert [names[k] for k in classes] == ["silence", "t d", "sh zh", "i", "silence", "silence"]
    assert voiced.tolist() == [False, False, False, True, False, False]
    with pytest.raises(SpeechError, match=r"phonetic_classes\.py"):
        letters_of("Ж")


def test_chunks_shorter_than_a_hop_give_nothing(encoder):
    state, frames = encoder.step(encoder.init(), np.zeros(HOP - 1, np.float32))
    assert len(frames) == 0
    assert state.n_samples == HOP - 1

import numpy as np
import pytest

from locutor.core.face import MOUTH_SLICE
from locutor.drive.idle_model import fit_idle
from locutor.drive.speak import SpeechDriver
from locutor.drive.voice import VoiceModel, lip_gap
from locutor.drive.voice_fit import fit_voice


@pytest.fixture(scope="module")
def model(speaker) -> VoiceModel:
    return fit_voice(speaker.audio, speaker.motion)


@pytest.fixture(scope="module")
def driver(speaker, model) -> SpeechDriver:
    return SpeechDriver(model, fit_idle(speaker.motion, speaker.neutral))


def gap_share(motion, model: VoiceModel) -> np.ndarray:
    """Lip gap as a share of its range in the footage, 0 closed."""
    low, high = model.gap_range
    return (lip_gap(motion.face[:, MOUTH_SLICE]) - low) / (high - low)


@pytest.mark.parametrize("chunk", [333, 640, 16000])
def test_any_chunking_equals_offline(speaker, driver, chunk):
    sound = speaker.audio[:50_001]
    whole = driver.whole(sound, seed=2)
    state, parts = driver.init(seed=2), []
    for start in range(0, len(sound), chunk):
        state, motion = driver.step(state, sound[start : start + chunk])
        parts.append(motion)
    parts.append(driver.finish(state))
    assert len(whole) == 79
    for name, channel in whole.channels().items():
        np.testing.assert_allclose(np.concatenate([p.channels()[name] for p in parts]), channel, atol=1e-4)


def test_all_channels_are_there(speaker, driver):
    motion = driver.whole(speaker.audio[:32_000])
    assert set(motion.channels()) == {"face", "head_wxyz", "head_xyz", "torso_wxyz", "torso_xyz"}
    assert np.linalg.norm(motion.head_wxyz, axis=1) == pytest.approx(1)
    assert np.ptp(motion.head_xyz) > 0


@pytest.mark.parametrize("noise_db", [None, -50])
def test_the_mouth_is_closed_in_silence_and_moves_in_speech(speaker, driver, model, noise_db):
    sound = np.concatenate([np.zeros(32_000), speaker.audio[:96_000], np.zeros(64_000)]).astype(np.float32)
    if noise_db is not None:
        sound += np.random.default_rng(0).normal(0, 10 ** (noise_db / 20), len(sound)).astype(np.float32)
    share = gap_share(driver.whole(sound), model)
    assert share[:47].max() < 0.08
    assert share[50:200].max() > 0.5
    assert share[205:].max() < 0.08  # 0.2 s after the end at frame 200


def test_no_sound_no_frames(driver):
    state, motion = driver.step(driver.init(), np.zeros(0, np.float32))
    assert len(motion) == 0
    assert len(driver.finish(state)) == 0
    assert len(driver.whole(np.zeros(1, np.float32))) == 1


def test_samples_that_are_not_finite_pass_without_a_trace(speaker, driver):
    sound = speaker.audio[:48_000].copy()
    clean = driver.whole(sound)
    sound[16_000:16_040] = np.nan
    sound[20_000] = np.inf
    face = driver.whole(sound).face
    assert np.isfinite(face).all()
    np.testing.assert_allclose(face[60:], clean.face[60:], atol=0.02)  # the running means have heard little else


@pytest.mark.parametrize("change", ["offset", "clipped", "loud", "faint"])
def test_recordings_with_faults_move_the_same_mouth(speaker, driver, change):
    sound = speaker.audio[:96_000]
    changed = {
        "offset": sound + 0.2,
        "clipped": sound.clip(-0.3 * sound.max(), 0.3 * sound.max()),
        "loud": 8 * sound,
        "faint": 0.1 * sound,
    }[change].astype(np.float32)
    a, b = (lip_gap(driver.whole(s).face[:, MOUTH_SLICE]) for s in (sound, changed))
    assert np.isfinite(b).all()
    assert np.corrcoef(a[50:], b[50:])[0, 1] > 0.7


def test_another_sound_of_the_same_session_finds_the_voice_known(speaker, driver):
    """A stranger is a stranger from the first word of the second utterance on; who was known is known again."""
    t = np.arange(64_000) / 16_000
    hum = (0.1 * np.sign(np.sin(2 * np.pi * 400 * t)) * (np.sin(2 * np.pi * 2 * t) > 0)).astype(np.float32)

    def strangeness(state, sound: np.ndarray) -> np.ndarray:
        return driver._features.step(state.features, sound)[1].strangeness

    for sound, low, high in ((hum, 0.85, 9.0), (speaker.audio[:64_000], 0.0, 0.55)):
        state, _ = driver.step(driver.init(), sound)
        again = strangeness(driver.restart(state), sound)
        assert low <= again.min()
        assert again.max() <= high
    assert strangeness(driver.init(), hum)[:5].max() < 0.3  # else the first sound would have told nothing


def test_another_voice_of_the_same_session_is_heard_as_soon_as_the_first(speaker, driver):
    sound = speaker.audio[:96_000]
    other = np.roll(sound, 3000)[::-1].copy()
    state, _ = driver.step(driver.init(), 0.2 * np.random.default_rng(0).normal(size=48_000).astype(np.float32))
    _, fresh = driver.step(driver.init(), other)
    _, after = driver.step(driver.restart(state), other)
    mouths = np.stack([fresh.face[:, MOUTH_SLICE], after.face[:, MOUTH_SLICE]])
    assert np.abs(mouths[0] - mouths[1])[100:].mean() < 0.5 * np.abs(mouths[0]).mean()

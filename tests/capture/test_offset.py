"""Sound and picture laid against each other by what is said."""

from importlib import resources

import numpy as np
import pytest

from locutor.actors.generators import GENERATORS
from locutor.capture.heard import HEARD_FPS, hear_classes, seconds_of_sounds, seconds_of_visemes, visemes_of
from locutor.capture.offset import CLEAR, estimate_offset_frames
from locutor.capture.performance import Tracking
from locutor.capture.sound import sound_offset
from locutor.core.clock import FPS, SAMPLE_RATE, SAMPLES_PER_FRAME
from locutor.core.motion import Motion
from locutor.media.audio import read_audio
from locutor.speech.encoder import PhoneticEncoder

N_FRAMES = 20 * FPS
SEED = 7  # of the embedded performer


@pytest.fixture(scope="module")
def performer() -> tuple[np.ndarray, Motion]:
    """The sound and the tracked motion of the embedded performer's first 20 seconds."""
    with resources.as_file(resources.files("locutor.actors") / "embedded") as folder:
        sound = read_audio(folder / "video.mp4")[: N_FRAMES * SAMPLES_PER_FRAME]
        return sound, Tracking.load(folder / "tracking.npz").motion[:N_FRAMES]


def heard(sound: np.ndarray) -> np.ndarray:
    return visemes_of(hear_classes(sound))


@pytest.mark.parametrize("late", [-12, -5, 6, 12])
@pytest.mark.parametrize("n_frames", [250, 500])
def test_the_offset_is_found_to_half_a_frame(performer, late, n_frames):
    """A performer's lips run ahead of its sound by what its style says: that is its true offset."""
    sound, motion = performer
    truth = late + GENERATORS["A"].styles.draw(SEED).lead_s * FPS
    shifted = np.roll(sound, SAMPLES_PER_FRAME * late)[: SAMPLES_PER_FRAME * n_frames]
    offset = sound_offset(heard(shifted), motion[:n_frames])
    assert offset.frames == pytest.approx(truth, abs=0.5)
    assert offset.confidence > CLEAR
    assert offset.correction_frames == round(offset.frames)


def test_a_right_sound_is_not_moved(performer):
    sound, motion = performer
    lead = round(GENERATORS["A"].styles.draw(SEED).lead_s * SAMPLE_RATE)
    offset = sound_offset(heard(np.roll(sound, -lead)), motion)
    assert abs(offset.frames) < 0.5
    assert offset.correction_frames == 0


def test_other_words_of_the_same_voice_are_not_believed(performer):
    sound, motion = performer
    half = N_FRAMES // 2
    first, second = sound[: SAMPLES_PER_FRAME * half], sound[SAMPLES_PER_FRAME * half :]
    assert sound_offset(heard(second), motion[:half]).correction_frames == 0
    assert sound_offset(heard(first), motion[half:]).correction_frames == 0


def test_frames_that_were_not_observed_do_not_count(performer):
    sound, motion = performer
    assert motion.face is not None
    valid = np.ones(N_FRAMES, bool)
    valid[100:160] = False
    face = motion.face.copy()
    face[~valid] = np.random.default_rng(0).normal(size=face[~valid].shape)
    visemes = heard(sound)
    unharmed = estimate_offset_frames(visemes, motion.with_channels(valid=valid))
    harmed = estimate_offset_frames(visemes, motion.with_channels(face=face, valid=valid))
    believed = estimate_offset_frames(visemes, motion.with_channels(face=face))
    assert harmed == pytest.approx(unharmed, abs=1e-3)
    assert believed != pytest.approx(unharmed, abs=1e-2)
    assert unharmed[0] == pytest.approx(GENERATORS["A"].styles.draw(SEED).lead_s * FPS, abs=0.5)
    assert estimate_offset_frames(visemes, motion.with_channels(valid=np.zeros(N_FRAMES, bool)))[1] == 0


def test_pieces_are_heard_as_the_whole(performer):
    sound, _ = performer
    cut = sound[: 11 * SAMPLE_RATE + 77]
    classes = hear_classes(cut)
    whole = PhoneticEncoder().whole(cut)
    np.testing.assert_allclose(classes, whole.classes, atol=1e-5)
    np.testing.assert_allclose(visemes_of(classes), whole.visemes, atol=1e-5)
    assert len(hear_classes(cut[:0])) == 0


def test_seconds_of_sounds_add_up(performer):
    sound, _ = performer
    classes = hear_classes(sound)
    seconds = seconds_of_sounds(classes)
    assert sum(seconds.values()) == pytest.approx((1 - classes[:, 0]).sum() / HEARD_FPS, abs=0.2)
    assert sum(seconds_of_visemes(seconds).values()) == pytest.approx(sum(seconds.values()))
    assert "silence" not in seconds

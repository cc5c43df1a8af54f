"""Sound that is hard to hear: it moves the mouth within its range, and nothing grows."""

from dataclasses import fields, is_dataclass

import numpy as np
import pytest

from locutor.core.face import MOUTH_SLICE
from locutor.drive.speak import SpeechDriver
from locutor.drive.voice import lip_gap


def gaps(driver: SpeechDriver, sound: np.ndarray) -> np.ndarray:
    (face,) = driver.whole(sound.astype(np.float32)).require("face")
    return lip_gap(face[:, MOUTH_SLICE])


@pytest.mark.parametrize("harm", ["clipped", "offset", "holes", "loud", "faint"])
def test_harmed_speech_moves_the_mouth_alike(speaker, voice_model, speech_driver, harm):
    sound, driver = speaker.audio[: 640 * 200], speech_driver
    harmed = {
        "clipped": np.clip(sound, -0.3 * np.abs(sound).max(), 0.3 * np.abs(sound).max()),
        "offset": sound + 0.4,
        "holes": np.where(np.arange(len(sound)) % 5000 < 20, np.nan, sound),
        "loud": 30 * sound,
        "faint": 0.2 * sound,
    }[harm]
    as_is, moved = gaps(driver, sound), gaps(driver, harmed)
    assert np.isfinite(moved).all()
    assert len(moved) == len(as_is) == 200
    assert np.corrcoef(as_is, moved)[0, 1] > 0.5
    low, high = voice_model.gap_range
    assert moved.min() > low - 0.5 * (high - low)
    assert moved.max() < high + 0.5 * (high - low)


@pytest.mark.parametrize("n", [0, 1, 639, 641])
def test_hardly_any_sound(speech_driver, n):
    motion = speech_driver.whole(np.zeros(n, np.float32))
    assert len(motion) == -(-n // 640)


def test_an_hour_needs_no_more_memory_than_a_minute(speaker, speech_driver):
    """The state is all that is kept between chunks: after twenty seconds it is no larger than after ten."""
    state, sizes = speech_driver.init(), []
    second = np.resize(speaker.audio, 16_000 * 2).astype(np.float32)
    for _ in range(10):
        state, _ = speech_driver.step(state, second)
        sizes.append(n_bytes(state))
    assert max(sizes[5:]) <= max(sizes[:5])
    assert sizes[-1] < 2_000_000


def n_bytes(state: object) -> int:
    if isinstance(state, np.ndarray):
        return state.nbytes
    if hasattr(state, "element_size"):
        return state.element_size() * state.nelement()
    if is_dataclass(state):
        return sum(n_bytes(getattr(state, field.name)) for field in fields(state))
    return sum(n_bytes(part) for part in state) if isinstance(state, tuple | list) else 0

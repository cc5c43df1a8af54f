"""`Take`: a motion with the sound it belongs to, for those who write both."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import soxr
from jaxtyping import Float32
from numpy import ndarray

from locutor.avatar.avatar import Avatar
from locutor.capture.performance import Performance
from locutor.core.clock import SAMPLE_RATE
from locutor.core.errors import FormatError
from locutor.core.motion import Motion
from locutor.drive.idle_model import IdleModel
from locutor.drive.speak import SpeechDriver
from locutor.drive.voice import VoiceModel


@dataclass(frozen=True)
class Take:
    """Motion with sound.

    Attributes:
        motion: with `face`, `head` and `torso`.
        samples: sound, mono, -1..1; frame 0 begins with it.
        sample_rate: of the sound, Hz.
        text: what is said; empty when not known.
    """

    motion: Motion
    samples: Float32[ndarray, " n"]
    sample_rate: int
    text: str = ""


def spoken_take(
    avatar: Avatar, samples: Float32[ndarray, " n"], sample_rate: int, seed: int = 0, text: str = ""
) -> Take:
    """The avatar speaks a sound.

    Raises:
        FormatError: the avatar has no voice model.
    """
    if not avatar.voice:
        raise FormatError(
            "this avatar has no voice model: its footage had no sound", "train it on a film with the person's voice"
        )
    driver = SpeechDriver(VoiceModel.from_tensors(dict(avatar.voice)), IdleModel.from_tensors(dict(avatar.idle)))
    heard = soxr.resample(samples, sample_rate, SAMPLE_RATE).astype(np.float32)
    return Take(driver.whole(heard, seed), samples, sample_rate, text)


def recorded_take(performance: Performance) -> Take:
    """What was captured."""
    return Take(performance.tracking.motion, performance.sound, SAMPLE_RATE)

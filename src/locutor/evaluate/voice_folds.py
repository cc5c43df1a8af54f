"""The voice model scored over the whole clip: blocked five-fold, with chance from all rolls of the sound.

A few held-out seconds are too short to score sound: by luck a shuffled roll of them reaches .5.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from locutor.avatar.avatar import Avatar
from locutor.capture.performance import Performance
from locutor.core.clock import FPS, SAMPLE_RATE
from locutor.core.face import MOUTH_SLICE
from locutor.drive.idle_model import IdleModel
from locutor.drive.speak import SpeechDriver
from locutor.drive.voice import VoiceDriver, VoiceModel, lip_gap
from locutor.drive.voice_fit import cross_validate_voice
from locutor.evaluate.metrics import best_lag, correlation, roll_correlations

ROLLS_APART = FPS  # a roll by less than a second still sounds alike
SILENCE_S = 2.0


def heard_mouth(avatar: Avatar, sound: Float32[ndarray, " n"]) -> Float32[ndarray, "T 58 2"]:
    """What the avatar's voice model makes of the footage's sound, moved to where the picture is.

    Where the footage's sound is late, the model makes lips that fit the sound; the truth's lips are earlier.
    """
    voice = VoiceModel.from_tensors(dict(avatar.voice))
    mouth = VoiceDriver(voice).whole(sound)
    late = int(voice.offset_frames[0])
    return mouth[np.clip(np.arange(len(mouth)) + late, 0, len(mouth) - 1)]


def score_voice(avatar: Avatar, performance: Performance) -> dict[str, Any]:
    """Correlation, lag and chance of the lip gap predicted from the sound, each fold by a model of the others."""
    predicted, tracked = cross_validate_voice(performance.sound, performance.tracking.motion)
    truth, driven = lip_gap(tracked), lip_gap(predicted)
    rolls = roll_correlations(truth, driven, ROLLS_APART)
    return {
        "lip_gap_correlation": round(correlation(truth, driven), 3),
        "best_lag_frames": best_lag(truth, driven),
        "all_rolls_mean": round(float(rolls.mean()), 3),
        "all_rolls_p95": round(float(np.percentile(rolls, 95)), 3),
        "gap_in_silence": round(gap_in_silence(avatar), 3),
    }


def gap_in_silence(avatar: Avatar) -> float:
    """How far the mouth stays open in digital silence, as a share of the range of its lip gap in the footage."""
    voice = VoiceModel.from_tensors(dict(avatar.voice))
    driver = SpeechDriver(voice, IdleModel.from_tensors(dict(avatar.idle)))
    (face,) = driver.whole(np.zeros(round(SILENCE_S * SAMPLE_RATE), np.float32)).require("face")
    low, high = voice.gap_range
    return float((lip_gap(face[FPS:, MOUTH_SLICE]).max() - low) / (high - low))

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
from locutor.drive.gate import SilenceGate
from locutor.drive.voice import VoiceDriver, VoiceModel, lip_gap
from locutor.drive.voice_fit import cross_validate_voice
from locutor.evaluate.metrics import best_lag, correlation, roll_correlations

ROLLS_APART = FPS  # a roll by less than a second still sounds alike
SILENCE_S = 2.0


def heard_mouth(avatar: Avatar, sound: Float32[ndarray, " n"]) -> Float32[ndarray, "T 58 2"]:
    """What the avatar's voice model makes of a sound."""
    return VoiceDriver(VoiceModel.from_tensors(dict(avatar.voice))).whole(sound)


def score_voice(performance: Performance) -> dict[str, Any]:
    """Correlation, lag and chance of the lip gap predicted from the sound, each fold by a model of the others."""
    predicted, tracked = cross_validate_voice(performance.sound, performance.tracking.motion)
    truth, driven = lip_gap(tracked), lip_gap(predicted)
    rolls = roll_correlations(truth, driven, ROLLS_APART)
    return {
        "lip_gap_correlation": round(correlation(truth, driven), 3),
        "best_lag_frames": best_lag(truth, driven),
        "all_rolls_mean": round(float(rolls.mean()), 3),
        "all_rolls_p95": round(float(np.percentile(rolls, 95)), 3),
    }


def gap_in_silence(model: VoiceModel) -> float:
    """How far the mouth stays open in digital silence, as a share of the range of its lip gap."""
    silence = np.zeros(round(SILENCE_S * SAMPLE_RATE), np.float32)
    mouth = SilenceGate(model).whole(silence)
    closed = lip_gap(model.closed_mouth)
    low, high = model.gap_range
    return float((lip_gap(mouth[FPS:]).max() - min(low, closed)) / (high - low))

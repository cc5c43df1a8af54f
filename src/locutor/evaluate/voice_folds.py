"""The voice model scored over the whole clip: blocked five-fold, with chance from rolls of the sound.

A few held-out seconds are too short to score sound: by luck a shuffled roll of them reaches .5.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

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
from locutor.evaluate.figure import Figure, Measured, as_good, expected, figure
from locutor.evaluate.lips import Lips, lip_figures, lips_of
from locutor.evaluate.words import TITLES

ROLLS_APART = FPS  # a roll by less than a second still sounds alike
N_ROLLS = 40
SILENCE_S = 2.0


@dataclass(frozen=True)
class VoiceScore:
    """Lips by the sound alone against tracked ones, over a whole clip.

    Attributes:
        voice, chance, ceiling: by the names of `lips.lip_figures`. Chance is the mean over rolls of the sound, with
            its interval. The ceiling is the truth against itself.
        as_good: share of the rolls that do at least as well as the voice, of the figures that have a better and worse.
        measured: what `voice` was made of.
        gap_in_silence: how far the mouth stays open in digital silence, as a share of its range; None if not spoken.
    """

    voice: dict[str, Figure]
    chance: dict[str, Figure]
    ceiling: dict[str, Figure]
    as_good: dict[str, float]
    measured: dict[str, Measured]
    gap_in_silence: float | None = None


def heard_mouth(avatar: Avatar, sound: Float32[ndarray, " n"]) -> Float32[ndarray, "T 58 2"]:
    """What the avatar's voice model makes of the footage's sound, moved to where the picture is.

    Where the footage's sound is late, the model makes lips that fit the sound; the truth's lips are earlier.
    """
    voice = VoiceModel.from_tensors(dict(avatar.voice))
    mouth = VoiceDriver(voice).whole(sound)
    late = int(voice.offset_frames[0])
    return mouth[np.clip(np.arange(len(mouth)) + late, 0, len(mouth) - 1)]


def driver_of(avatar: Avatar) -> SpeechDriver:
    """What makes a whole speaking person out of sound (`Protocol.FREE`)."""
    return SpeechDriver(VoiceModel.from_tensors(dict(avatar.voice)), IdleModel.from_tensors(dict(avatar.idle)))


def score_voice(avatar: Avatar, performance: Performance) -> VoiceScore:
    """Each fold by a model of the others."""
    predicted, tracked = cross_validate_voice(performance.sound, performance.tracking.motion)
    truth = lips_of(tracked)
    score = score_lips(truth, lips_of(predicted, truth.limits), performance.sound)
    return replace(score, gap_in_silence=gap_in_silence(avatar))


def score_lips(truth: Lips, driven: Lips, sound: Float32[ndarray, " n"]) -> VoiceScore:
    """Driven lips against true ones, with chance from circular rolls by a second and more."""
    measured = lip_figures(truth, driven, sound)
    n = len(truth.gap)
    rolls = np.unique(np.linspace(ROLLS_APART, max(ROLLS_APART, n - ROLLS_APART), N_ROLLS).astype(int))
    chance = [lip_figures(truth, driven.rolled(int(roll)), sound) for roll in rolls]
    by_name = {name: [figures[name] for figures in chance] for name in measured}
    better = {name: TITLES[name][1] for name in measured}
    return VoiceScore(
        {name: figure(m) for name, m in measured.items()},
        {name: expected(ways) for name, ways in by_name.items()},
        {name: figure(m) for name, m in lip_figures(truth, truth, sound).items()},
        {name: as_good(measured[name], by_name[name], more) for name, more in better.items() if more is not None},
        measured,
    )


def gap_in_silence(avatar: Avatar) -> float:
    """How far the mouth stays open in digital silence, as a share of the range of its lip gap in the footage."""
    voice = VoiceModel.from_tensors(dict(avatar.voice))
    (face,) = driver_of(avatar).whole(np.zeros(round(SILENCE_S * SAMPLE_RATE), np.float32)).require("face")
    low, high = voice.gap_range
    return float((lip_gap(face[FPS:, MOUTH_SLICE]).max() - low) / (high - low))

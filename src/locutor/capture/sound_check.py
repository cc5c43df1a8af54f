"""What is wrong with a recording: silence, clipping, noise, music, a voice without moving lips."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float32
from numpy import ndarray

from locutor.core.clock import FPS, SAMPLES_PER_FRAME
from locutor.media.logmel import LogMel

SILENT_DB = -55.0  # frames below this are digital silence or nearly
_CLIPPED = 0.985  # of full scale: lossy codecs overshoot
_CLIPPED_RUN = 3  # samples
_VOICE_DB = 12.0  # above the floor
_STEADY_MELS = 40  # mel frames (10 ms) for which a note is held
_PEAK = 1.2  # nepers above the smooth spectrum
_WINDOW = 2 * FPS  # frames for comparing voice and lips


@dataclass(frozen=True)
class SoundFigures:
    """What was measured in the sound.

    Attributes:
        level_db: level of the loudest tenth of the frames, dB below full scale.
        floor_db: level of the quietest tenth.
        silent_share: share of frames that are as good as silent.
        voice_share: share of frames well above the floor.
        clipped_share: share of the samples that lie in runs at full scale.
        tone_share: share of the frames in which a note is held for 0.4 s: music, or a hum.
        unseen_voice_share: share of the voiced frames around which the lips keep still: somebody else speaks.
    """

    level_db: float
    floor_db: float
    silent_share: float
    voice_share: float
    clipped_share: float
    tone_share: float
    unseen_voice_share: float


def check_sound(sound: Float32[ndarray, " n"], lip_gap: Float[ndarray, " T"]) -> SoundFigures:
    """Measure a recording.

    Args:
        sound: 16 kHz, mono, 640 samples per frame.
        lip_gap: opening of the lips, inter-ocular units.
    """
    n_frames = min(len(lip_gap), len(sound) // SAMPLES_PER_FRAME)
    frames = sound[: n_frames * SAMPLES_PER_FRAME].reshape(n_frames, -1).astype(np.float64)
    level = 10 * np.log10((frames**2).mean(1) + 1e-10)
    floor, top = np.percentile(level, 10), np.percentile(level, 90)
    voiced = level > max(floor + _VOICE_DB, SILENT_DB)
    return SoundFigures(
        round(float(top), 1),
        round(float(floor), 1),
        round(float((level < SILENT_DB).mean()), 4),
        round(float(voiced.mean()), 4),
        round(_clipped_share(sound), 6),
        round(_tone_share(sound), 4),
        round(_unseen_share(voiced, lip_gap[:n_frames]), 4),
    )


def _clipped_share(sound: Float32[ndarray, " n"]) -> float:
    at_limit = np.abs(sound) >= _CLIPPED
    edges = np.flatnonzero(np.diff(np.concatenate([[0], at_limit.astype(np.int8), [0]])))
    runs = edges[1::2] - edges[::2]
    return float(runs[runs >= _CLIPPED_RUN].sum() / max(len(sound), 1))


def _tone_share(sound: Float32[ndarray, " n"]) -> float:
    """Voices glide, instruments and hum do not: a peak that stays in its band for 0.4 s.

    The pitch of a voice does lie in one mel band at times, so only bands above 500 Hz count.
    """
    mel = LogMel().whole(sound)[:, 14:]
    smooth = np.apply_along_axis(lambda row: np.convolve(row, np.ones(7) / 7, "same"), 1, mel)
    peak = (mel - smooth > _PEAK / 2) & (mel > np.percentile(mel, 30))
    padded = np.cumsum(np.pad(peak.astype(np.int32), ((1, 0), (0, 0))), axis=0)
    held = padded[_STEADY_MELS:] - padded[:-_STEADY_MELS] >= 0.95 * _STEADY_MELS
    return float(held.any(axis=1).mean()) if len(held) else 0.0


def _unseen_share(voiced: Bool[ndarray, " T"], lip_gap: Float[ndarray, " T"]) -> float:
    """Share of voiced frames in seconds where the lips move far less than they do elsewhere."""
    if len(lip_gap) < 2 * _WINDOW or not voiced.any():
        return 0.0
    windows = np.lib.stride_tricks.sliding_window_view(lip_gap, _WINDOW)
    moves = windows.std(axis=1)
    dense = np.lib.stride_tricks.sliding_window_view(voiced, _WINDOW).mean(axis=1) > 0.5
    if not dense.any():
        return 0.0
    usual = np.percentile(moves, 75)
    return float((moves[dense] < max(0.2 * usual, 0.004)).mean())

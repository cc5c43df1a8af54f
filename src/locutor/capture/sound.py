"""The part of a film's sound that belongs to the captured frames."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from locutor.capture.offset import CLEAR, estimate_offset_frames
from locutor.core.clock import FPS, SAMPLE_RATE, SAMPLES_PER_FRAME
from locutor.core.motion import Motion
from locutor.media.audio import read_audio_chunks

SHORTEST_S = 6.0  # s; in less, chance finds peaks as high
FULL_S = 15.0  # the confidence asked for grows as the footage gets shorter than this: chance correlations do too
LEAST_CORRECTED = 1.5  # frames; real people whose sound is right lie within half a frame, and nobody sees 40 ms


def cut_sound(film: Path, start_s: float, n_frames: int) -> Float32[ndarray, " n"]:
    """Mono sound at 16 kHz from `start_s` on, 640 samples per frame; silence where the film has none left.

    Raises:
        MediaError: the sound cannot be read.
    """
    first, n_samples = round(start_s * SAMPLE_RATE), n_frames * SAMPLES_PER_FRAME
    cut = np.zeros(n_samples, np.float32)
    position = -first  # of the next chunk in the cut
    for chunk in read_audio_chunks(film):
        low, high = max(position, 0), min(position + len(chunk), n_samples)
        if low < high:
            cut[low:high] = chunk[low - position : high - position]
        position += len(chunk)
        if position >= n_samples:
            break
    return cut


@dataclass(frozen=True)
class SoundOffset:
    """How late the sound of a film is.

    Attributes:
        frames: of 40 ms, positive when the sound comes late.
        confidence: of the estimate; from `offset.CLEAR` on it can be relied upon.
        correction_frames: by how many frames the sound is to be moved: 0 when the offset is small or unclear.
    """

    frames: float
    confidence: float
    correction_frames: int

    @property
    def correction_s(self) -> float:
        """The correction in seconds."""
        return self.correction_frames / FPS


def sound_offset(visemes: Float32[ndarray, "t 12"], motion: Motion) -> SoundOffset:
    """Estimate by how much the sound is late, and decide whether to move it.

    Args:
        visemes: posteriors of what is heard (`heard.visemes_of`), from the first picture on.
        motion: with `face`.
    """
    frames, confidence = estimate_offset_frames(visemes, motion)
    clear = len(motion) >= SHORTEST_S * FPS and confidence >= CLEAR * max(1.0, (FULL_S * FPS / len(motion)) ** 0.5)
    return SoundOffset(frames, confidence, round(frames) if clear and abs(frames) >= LEAST_CORRECTED else 0)

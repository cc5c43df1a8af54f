"""The part of a film's sound that belongs to the captured frames."""

from pathlib import Path

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from locutor.core.clock import SAMPLE_RATE, SAMPLES_PER_FRAME
from locutor.media.audio import read_audio_chunks


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

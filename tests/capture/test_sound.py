from pathlib import Path

import numpy as np
import pytest
import soundfile

from locutor.capture.sound import cut_sound
from locutor.core.clock import SAMPLE_RATE, SAMPLES_PER_FRAME


@pytest.fixture
def ramp(tmp_path: Path) -> tuple[Path, np.ndarray]:
    samples = np.linspace(-0.9, 0.9, 3 * SAMPLE_RATE + 123, dtype=np.float32)
    path = tmp_path / "ramp.wav"
    soundfile.write(path, samples, SAMPLE_RATE, subtype="FLOAT")
    return path, samples


@pytest.mark.parametrize("start_s", [0.0, 0.52, 1.7])
def test_the_cut_starts_where_it_is_told(ramp: tuple[Path, np.ndarray], start_s: float):
    path, samples = ramp
    cut = cut_sound(path, start_s, 25)
    first = round(start_s * SAMPLE_RATE)
    np.testing.assert_allclose(cut, samples[first : first + 25 * SAMPLES_PER_FRAME], atol=1e-6)


def test_after_the_end_there_is_silence(ramp: tuple[Path, np.ndarray]):
    path, samples = ramp
    cut = cut_sound(path, 2.5, 50)
    known = len(samples) - round(2.5 * SAMPLE_RATE)
    assert len(cut) == 50 * SAMPLES_PER_FRAME
    np.testing.assert_allclose(cut[:known], samples[-known:], atol=1e-6)
    assert not cut[known:].any()

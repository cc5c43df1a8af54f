import importlib.util

import numpy as np
import pytest

from locutor.actors.performance_script import LINES, recite

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("espeakng_loader") is None, reason="needs the extra tts (espeakng-loader)"
)


def test_same_seed_same_sound_another_seed_another_order():
    first, again, other = recite(14.0, "en-us", 1), recite(14.0, "en-us", 1), recite(14.0, "en-us", 2)
    assert first.samples.tobytes() == again.samples.tobytes()
    assert [s.line for s in first.spoken] != [s.line for s in other.spoken]


def test_length_is_exact_and_pauses_are_quiet():
    recital = recite(14.0, "en-us", 1)
    assert len(recital.samples) == 14 * recital.sample_rate
    for before, after in zip(recital.spoken, recital.spoken[1:], strict=False):
        assert after.start_s - before.end_s > 0.58
        pause = recital.samples[round(before.end_s * 22050) : round(after.start_s * 22050)]
        assert np.abs(pause).max() < 0.01
    assert recital.spoken[-1].end_s <= 14
    assert 0.3 < np.abs(recital.samples).max() <= 1


def test_phonemes_are_on_the_clock_of_the_sound():
    recital = recite(14.0, "en-us", 1)
    for spoken in recital.spoken:
        assert spoken.start_s <= spoken.phonemes[0].start_s
        assert spoken.phonemes[-1].start_s <= spoken.end_s


def test_text_repeats_when_the_time_is_longer():
    recital = recite(20.0, "en-us", 1, LINES[:3])
    assert {s.line for s in recital.spoken} == set(LINES[:3])
    assert len(recital.spoken) > 3

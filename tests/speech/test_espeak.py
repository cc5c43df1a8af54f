import importlib.util
import subprocess
import sys

import numpy as np
import pytest

from locutor.core.errors import MissingPartError
from locutor.speech import espeak
from locutor.speech.espeak import PROGRAM, SpeechError, synthesize

needs_espeak = pytest.mark.skipif(
    importlib.util.find_spec("espeakng_loader") is None, reason="needs the extra tts (espeakng-loader)"
)


@needs_espeak
def test_phonemes_are_in_order_and_inside_the_sound():
    speech = synthesize("Happy people buy big apples.")
    starts = [p.start_s for p in speech.phonemes]
    assert starts == sorted(starts)
    assert starts[0] >= 0
    assert starts[-1] <= speech.duration_s
    assert [p.symbol for p in speech.phonemes if p.symbol].count("p") == 4
    assert speech.samples.dtype == np.float32
    assert 0.05 < np.abs(speech.samples).max() <= 1


@needs_espeak
def test_times_are_exact_samples():
    speech = synthesize("One, two.")
    samples = np.array([p.start_s for p in speech.phonemes]) * speech.sample_rate
    assert np.abs(samples - np.round(samples)).max() < 1e-6
    assert speech.sample_rate == 22050


@needs_espeak
def test_pauses_are_quiet_and_vowels_are_loud():
    speech = synthesize("Far. Far.")
    ends = [*(p.start_s for p in speech.phonemes[1:]), speech.duration_s]
    vowels, pauses = [], []
    for phoneme, end_s in zip(speech.phonemes, ends, strict=True):
        piece = speech.samples[round(phoneme.start_s * 22050) : round(end_s * 22050)]
        if "ɑ" in phoneme.symbol:
            vowels.append(np.sqrt(np.mean(piece**2)))
        elif not phoneme.symbol and len(piece):
            pauses.append(np.sqrt(np.mean(piece**2)))
    assert len(vowels) == 2
    assert pauses
    assert min(vowels) > 20 * max(pauses)


@needs_espeak
def test_faster_is_shorter_and_another_language_sounds_different():
    text = "This is a sentence about information."
    assert synthesize(text, rate_wpm=260).duration_s < 0.8 * synthesize(text, rate_wpm=130).duration_s
    english, german = synthesize("information"), synthesize("information", voice="de")
    assert [p.symbol for p in english.phonemes] != [p.symbol for p in german.phonemes]


@needs_espeak
def test_long_text_does_not_block():
    speech = synthesize("The quick brown fox jumps over the lazy dog. " * 200, rate_wpm=300)
    assert speech.duration_s > 200
    assert sum(p.symbol == "ʤ" or p.symbol == "dʒ" for p in speech.phonemes) == 200


@needs_espeak
@pytest.mark.parametrize("text", ["", " \n", "...", "\0"])
def test_nothing_to_say_is_an_error(text):
    with pytest.raises(SpeechError, match="one word"):
        synthesize(text)


@needs_espeak
def test_unknown_voice_is_named():
    with pytest.raises(SpeechError, match="no voice 'xx-none'"):
        synthesize("Hello.", voice="xx-none")


def test_rate_out_of_range():
    with pytest.raises(SpeechError, match="80 to 450"):
        synthesize("Hello.", rate_wpm=20)


def test_missing_library_names_what_to_install(tmp_path, monkeypatch):
    bare = tmp_path / "program.py"
    lines = ["import sys, ctypes.util, runpy", "sys.modules['espeakng_loader'] = None"]
    lines += ["ctypes.util.find_library = lambda name: None", f"runpy.run_path({str(PROGRAM)!r}, run_name='__main__')"]
    bare.write_text("\n".join(lines))
    monkeypatch.setattr(espeak, "PROGRAM", bare)
    with pytest.raises(MissingPartError, match=r"locutor\[tts\]"):
        synthesize("Hello.")


def test_a_crash_of_the_program_is_an_error(tmp_path, monkeypatch):
    crash = tmp_path / "program.py"
    crash.write_text("import os\nos.abort()\n")
    monkeypatch.setattr(espeak, "PROGRAM", crash)
    with pytest.raises(SpeechError, match=r"'Hello\.': exit status"):
        synthesize("Hello.")


@needs_espeak
def test_the_library_is_not_loaded_into_this_process():
    code = (
        "from locutor.speech.espeak import synthesize; import sys; synthesize('Hello.');"
        "assert 'espeakng_loader' not in sys.modules;"
        "import pathlib; m = pathlib.Path('/proc/self/maps'); assert not m.exists() or 'espeak' not in m.read_text()"
    )
    subprocess.run([sys.executable, "-c", code], check=True)

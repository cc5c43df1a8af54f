"""Text to speech with exact phoneme times, by espeak-ng running as a program of its own (`espeak_program.py`)."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from locutor.core.errors import LocutorError, MissingPartError

PROGRAM = Path(__file__).with_name("espeak_program.py")
RATE_WPM_RANGE = (80, 450)  # the range of espeak-ng itself


class SpeechError(LocutorError):
    """A text that cannot be spoken: it is empty, or the voice does not exist."""


@dataclass(frozen=True)
class Phoneme:
    """One sound of the language.

    Attributes:
        symbol: IPA, with a leading stress mark (ˈ or ˌ) on the vowel of a stressed syllable; "" is a pause.
        start_s: when it begins, exact to the sample. It lasts until the next one, the last until the sound's end.
    """

    symbol: str
    start_s: float


@dataclass(frozen=True)
class Speech:
    """A spoken text.

    Attributes:
        samples: mono sound in -1..1.
        sample_rate: Hz.
        phonemes: in order of time.
    """

    samples: Float32[ndarray, " n"]
    sample_rate: int
    phonemes: tuple[Phoneme, ...]

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return len(self.samples) / self.sample_rate


def synthesize(text: str, voice: str = "en-us", rate_wpm: int = 165) -> Speech:
    """Speak a text of any length.

    Args:
        text: plain text.
        voice: a voice of espeak-ng, with or without a variant: "en-us", "de", "fr+f3".
        rate_wpm: words per minute, 80..450.

    Raises:
        SpeechError: the text holds nothing to say, the voice does not exist, or the rate is out of range.
        MissingPartError: espeak-ng is not installed.
    """
    if not text.strip():
        raise SpeechError("the text to speak is empty", "give at least one word")
    low, high = RATE_WPM_RANGE
    if not low <= rate_wpm <= high:
        raise SpeechError(f"{rate_wpm} words per minute cannot be spoken", f"choose a rate from {low} to {high}")
    answer, sound = _run({"text": text.replace("\0", " "), "voice": voice, "rate_wpm": rate_wpm})
    samples = np.frombuffer(sound, "<i2").astype(np.float32) / 32768
    rate = answer["sample_rate"]
    phonemes = tuple(Phoneme(symbol, first_sample / rate) for symbol, first_sample in answer["phonemes"])
    if not any(phoneme.symbol for phoneme in phonemes):
        raise SpeechError(f"the text {_shortened(text)} holds nothing to say", "give at least one word")
    return Speech(samples, rate, phonemes)


def _run(request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    # -P: the script's own folder must not stand before the standard library.
    done = subprocess.run(
        [sys.executable, "-P", str(PROGRAM)], input=json.dumps(request).encode(), capture_output=True, check=False
    )
    if done.returncode != 0:
        lines = done.stderr.decode(errors="replace").strip().splitlines() or [f"exit status {done.returncode}"]
        raise SpeechError(
            f"espeak-ng failed on {_shortened(request['text'])}: {lines[-1]}", "try another text or voice"
        )
    (n_header,) = struct.unpack_from("<I", done.stdout)
    answer = json.loads(done.stdout[4 : 4 + n_header])
    if "error" in answer:
        raise _typed_error(answer["error"], answer["detail"])
    return answer, done.stdout[4 + n_header :]


def _typed_error(kind: str, detail: str) -> LocutorError:
    if kind == "library":
        return MissingPartError(
            f"espeak-ng cannot be used: {detail}", "pip install 'locutor[tts]' or apt install espeak-ng"
        )
    if kind == "voice":
        return SpeechError(f"espeak-ng has no voice {detail!r}", "choose one such as en-us, de, fr+f3")
    return SpeechError(f"espeak-ng failed: {detail}", "try another text or voice")


def _shortened(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:37] + "...")

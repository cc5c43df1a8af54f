"""Text to speech with exact phoneme times, by espeak-ng running as a program of its own (`espeak_program.py`)."""

from __future__ import annotations

import json
import math
import re
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from locutor.core.errors import LocutorError, MissingPartError
from locutor.speech.pauses import speak_with_pauses
from locutor.speech.phonemes import Phoneme, Speech, SpeechError, check_request, shortened

PROGRAM = Path(__file__).with_name("espeak_program.py")
SAMPLE_RATE = 22_050  # Hz, of espeak-ng's voices
ALIASES = {"en-gb": "en", "fr-fr": "fr", "pt-pt": "pt", "zh": "cmn"}
"""Names in common use that espeak-ng knows under another one."""
LANGUAGE_SWITCH = re.compile(r"\([a-z-]*\)?")  # such as "(en)": espeak-ng says where it changes the language


def synthesize(text: str, voice: str = "en-us", rate_wpm: int = 165, pitch: float = 1.0) -> Speech:
    """Speak a text of any length.

    Args:
        text: plain text, or with pauses such as `<break time="500ms"/>` (`speech.pauses`).
        voice: a voice of espeak-ng, with or without a variant: "en-us", "de", "fr+f3".
        rate_wpm: words per minute, 80..450.
        pitch: as a part of the voice's own, 0.5..2.

    Raises:
        SpeechError: the text holds nothing to say, a pause in it is malformed, the voice does not exist, or rate or
            pitch are out of range.
        MissingPartError: espeak-ng is not installed.
    """
    check_request(text, rate_wpm, pitch)
    return speak_with_pauses(text, SAMPLE_RATE, lambda plain: _speak(plain, voice, rate_wpm, pitch))


def _speak(text: str, voice: str, rate_wpm: int, pitch: float) -> Speech:
    name, plus, variant = voice.partition("+")
    known = ALIASES.get(name, name) + plus + variant
    level = round(50 + 50 * math.log2(pitch))  # espeak-ng's scale: 50 is the voice's own, 100 an octave above
    answer, sound = _run({"text": text.replace("\0", " "), "voice": known, "rate_wpm": rate_wpm, "pitch": level})
    samples = np.frombuffer(sound, "<i2").astype(np.float32) / 32768
    rate = answer["sample_rate"]
    phonemes = tuple(
        Phoneme(symbol, first_sample / rate)
        for symbol, first_sample in answer["phonemes"]
        if not LANGUAGE_SWITCH.fullmatch(symbol)
    )
    if not any(phoneme.symbol for phoneme in phonemes):
        raise SpeechError(f"the text {shortened(text)} holds nothing to say", "give at least one word")
    return Speech(samples, rate, phonemes)


def _run(request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    # -P: the script's own folder must not stand before the standard library.
    done = subprocess.run(
        [sys.executable, "-P", str(PROGRAM)], input=json.dumps(request).encode(), capture_output=True, check=False
    )
    if done.returncode != 0:
        lines = done.stderr.decode(errors="replace").strip().splitlines() or [f"exit status {done.returncode}"]
        raise SpeechError(f"espeak-ng failed on {shortened(request['text'])}: {lines[-1]}", "try another text or voice")
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

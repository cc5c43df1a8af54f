"""What flite and festival have in common: a program that is found or not, text in ASCII, sentences, wave files."""

from __future__ import annotations

import re
import shutil
import subprocess
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile
from jaxtyping import Float32
from numpy import ndarray

from locutor.core.errors import MissingPartError
from locutor.speech.phonemes import Phoneme, Speech, SpeechError, shortened

QUOTES = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": "-", "…": "."})
SENTENCE_END = re.compile(r"(?<=[.!?])\s+")


def program(name: str, package: str) -> str:
    """Path of an installed program.

    Raises:
        MissingPartError: it is not on the search path.
    """
    path = shutil.which(name)
    if path is None:
        raise MissingPartError(f"the program {name} is not installed", f"apt install {package}")
    return path


def run(command: Sequence[str], text: str, source: str) -> str:
    """Standard output of a program.

    Raises:
        SpeechError: it failed; the message has its last line.
    """
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode != 0:
        lines = done.stderr.decode(errors="replace").strip().splitlines() or [f"exit status {done.returncode}"]
        raise SpeechError(f"{source} failed on {shortened(text)}: {lines[-1]}", "try another text or voice")
    return done.stdout.decode(errors="replace")


def encoded_sentences(text: str, source: str, encoding: str = "ascii") -> list[str]:
    """The text's sentences in letters that the encoding has: others lose their accents, or fall out.

    Raises:
        SpeechError: no word is left.
    """
    plain = "".join(_encodable(letter, encoding) for letter in unicodedata.normalize("NFC", text.translate(QUOTES)))
    found = [s for s in SENTENCE_END.split(" ".join(plain.split())) if re.search(r"\w", s)]
    if not found:
        raise SpeechError(f"the text {shortened(text)} holds nothing that {source} can say", "give at least one word")
    return found


def _encodable(letter: str, encoding: str) -> str:
    kept = letter.encode(encoding, "ignore").decode(encoding)
    return kept or unicodedata.normalize("NFD", letter).encode(encoding, "ignore").decode(encoding)


def read_wave(path: Path, text: str, source: str) -> tuple[Float32[ndarray, " n"], int]:
    """Mono samples in -1..1 and their rate.

    Raises:
        SpeechError: the program wrote no readable file.
    """
    try:
        samples, rate = soundfile.read(path, dtype="float32")
    except (soundfile.LibsndfileError, OSError) as error:
        raise SpeechError(f"{source} wrote no sound for {shortened(text)}", "try another text or voice") from error
    return np.ascontiguousarray(samples), rate


def spoken(
    text: str, pieces: Sequence[Float32[ndarray, " _"]], sample_rate: int, phonemes: Sequence[Phoneme]
) -> Speech:
    """The sentences one after the other.

    Raises:
        SpeechError: nothing but pauses was said.
    """
    if not any(p.symbol for p in phonemes):
        raise SpeechError(f"the text {text[:40]!r} holds nothing to say", "give at least one word")
    return Speech(np.concatenate(pieces), sample_rate, tuple(phonemes))

"""Phonemes of real English recordings with their times, by pocketsphinx: it writes down what it hears and aligns that.

    python tools/align_speech.py OUT.npz RECORDING... [--words WORDS.txt]

Writes a corpus in the form of `speech_corpus.py`: one clip for each recording, as it is. Where the words are known
(a line "librivox_en_2.wav: he was not an ill disposed young man" for each piece of a recording, in order; pieces are
about nine seconds long and cut in pauses) they are aligned instead.
"""

from __future__ import annotations

import argparse
import difflib
import subprocess
from functools import cache
from pathlib import Path

import numpy as np
from jaxtyping import Float32
from numpy import ndarray
from pocketsphinx import Decoder

from locutor.core.clock import SAMPLE_RATE
from locutor.media.audio import read_audio
from locutor.speech.phonemes import Phoneme
from locutor.speech.radio_phones import IPA_BY_PHONE
from speech_corpus import labelled_mel

PIECE_S = 9.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out")
    parser.add_argument("recordings", nargs="+", type=Path)
    parser.add_argument("--words", type=Path, help="what is said, for the recordings of which it is known")
    parser.add_argument(
        "--one-schwa", action="store_true", help="read every AH as the vowel of cut, as dictionaries do"
    )
    arguments = parser.parse_args()
    words = read_words(arguments.words) if arguments.words else {}
    clips = []
    for path in arguments.recordings:
        samples = read_audio(path)
        phonemes = aligned(samples, words.get(path.name), arguments.one_schwa)
        clips.append(labelled_mel(samples, phonemes, len(samples) / SAMPLE_RATE))
        print(f"{path.name}: {len(samples) / SAMPLE_RATE:.1f} s, {sum(bool(p.symbol) for p in phonemes)} phonemes")
    mel, classes, voiced, controls = (np.concatenate(parts) for parts in zip(*clips, strict=True))
    ends = np.cumsum([len(c[0]) for c in clips])
    np.savez(arguments.out, mel=mel, classes=classes, voiced=voiced, controls=controls, ends=ends)


def read_words(path: Path) -> dict[str, list[str]]:
    """What is said in the pieces of each recording, by the recording's file name."""
    found: dict[str, list[str]] = {}
    for line in path.read_text().splitlines():
        name, colon, said = line.partition(":")
        if colon:
            found.setdefault(name.strip(), []).append(said.strip())
    return found


def aligned(samples: Float32[ndarray, " n"], words: list[str] | None = None, one_schwa: bool = False) -> list[Phoneme]:
    """Phonemes that pocketsphinx finds, pauses too; a stretch that it cannot read counts as a pause.

    Args:
        samples: the recording.
        words: what is said in each of its pieces; what pocketsphinx hears if None, and where the words do not fit.
        one_schwa: leave schwas and the vowel of "cut" alike.
    """
    found: list[Phoneme] = []
    pieces = _pieces(samples)
    for (start, end), said in zip(pieces, words or [None] * len(pieces), strict=True):
        offset_s, piece = start / SAMPLE_RATE, samples[start:end]
        of_words = _aligned_piece(piece, offset_s, said, one_schwa) if said else []
        found += of_words or _aligned_piece(piece, offset_s, None, one_schwa) or [Phoneme("", offset_s)]
    return found


def _pieces(samples: Float32[ndarray, " n"]) -> list[tuple[int, int]]:
    """Cut at the quietest tenth of a second near the end of each piece."""
    block = SAMPLE_RATE // 10
    level = np.array([float(np.square(samples[k : k + block]).mean()) for k in range(0, len(samples), block)])
    cuts, at = [0], 0
    while len(level) - at > PIECE_S * 10 * 1.3:
        low, high = at + round(PIECE_S * 6), at + round(PIECE_S * 12)
        at = low + int(np.argmin(level[low:high]))
        cuts.append(at * block)
    return list(zip(cuts, [*cuts[1:], len(samples)], strict=True))


def _aligned_piece(
    samples: Float32[ndarray, " n"], offset_s: float, words: str | None, one_schwa: bool
) -> list[Phoneme]:
    pad = np.random.default_rng(0).normal(0, 3e-4, SAMPLE_RATE // 4)  # pocketsphinx expects silence at both ends
    gain = 0.5 / max(float(np.abs(samples).max()), 1e-3)
    pcm = (np.concatenate([pad, gain * samples, pad]).clip(-1, 1) * 32767).astype("<i2").tobytes()
    decoder = Decoder(samprate=SAMPLE_RATE, loglevel="FATAL")
    try:
        if words is not None:
            for word in words.split():
                if decoder.lookup_word(word) is None:
                    decoder.add_word(word, " ".join(_PHONE_OF_RADIO.get(p, p).upper() for p in _flite_phones(word)))
            decoder.set_align_text(words)
        _decode(decoder, pcm)
        if decoder.hyp() is None:
            return []
        decoder.set_alignment()
        _decode(decoder, pcm)
    except RuntimeError:  # no path through the words fits the sound
        return []
    found: list[Phoneme] = []
    for word in decoder.get_alignment():  # must be walked in place: its items die with it
        silent = word.name.startswith(("<", "["))
        phones = [(phone.name.lower(), max(0.0, offset_s + phone.start / 100 - 0.25)) for phone in word]
        names = [name for name, _ in phones]
        if not one_schwa:
            names = reduced(word.name, names)
        if silent:
            names = [""] * len(phones)
        found += [Phoneme(IPA_BY_PHONE.get(name, ""), at_s) for name, (_, at_s) in zip(names, phones, strict=True)]
    return found


_PHONE_OF_RADIO = {"ax": "ah", "axr": "er", "ix": "ih", "dx": "t", "nx": "n", "el": "l", "em": "m", "en": "n"}
"""What pocketsphinx calls the phones that only flite has."""


def reduced(word: str, phones: list[str]) -> list[str]:
    """The phones with "ax" for each "ah" that is a schwa: the dictionary of pocketsphinx writes both alike."""
    known = _flite_phones(word.partition("(")[0])
    plain = [_PHONE_OF_RADIO.get(phone, phone) for phone in known]
    found = list(phones)
    for block in difflib.SequenceMatcher(a=phones, b=plain, autojunk=False).get_matching_blocks():
        for k in range(block.size):
            if known[block.b + k] == "ax":
                found[block.a + k] = "ax"
    return found


@cache
def _flite_phones(word: str) -> tuple[str, ...]:
    printed = subprocess.run(["flite", "-t", word, "-ps", "-o", "none"], capture_output=True, text=True, check=True)
    return tuple(phone for phone in printed.stdout.split() if phone != "pau")


def _decode(decoder: Decoder, pcm: bytes) -> None:
    decoder.start_utt()
    decoder.process_raw(pcm, full_utt=True)
    decoder.end_utt()


if __name__ == "__main__":
    main()

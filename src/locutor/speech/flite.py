"""Text to speech by flite, whose voices come from recordings, as a program of its own. English only.

flite prints the end of every phone (`-psdur`), counted from the beginning of its utterance, but no stress: a full
vowel that is clearly longer than the sentence's others is taken as stressed.
"""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

import numpy as np

from locutor.speech.phonemes import Phoneme, Speech, SpeechError, check_request
from locutor.speech.radio_phones import FULL_VOWELS, IPA_BY_PHONE
from locutor.speech.spoken_programs import encoded_sentences, program, read_wave, run, spoken

NOT_FOR_TEXT = ("awb_time",)  # a talking clock
DIPHONE_PITCH_HZ = {"kal": 95.0, "kal16": 95.0}  # these take a mean in Hz, the others a factor
NOMINAL_WPM = 165
STRESSED = 1.1  # as a part of the median length of full vowels

Timed = list[tuple[str, float]]
"""Phones and their ends, s."""


def synthesize(text: str, voice: str = "slt", rate_wpm: int = 165, pitch: float = 1.0) -> Speech:
    """Speak a text; arguments as for `espeak.synthesize`, `voice` is one of `voices()`.

    Raises:
        SpeechError: the text holds nothing to say, the voice does not exist, or rate or pitch are out of range.
        MissingPartError: flite is not installed.
    """
    check_request(text, rate_wpm, pitch)
    path, known = program("flite", "flite"), voices()
    if voice not in known:
        raise SpeechError(f"flite has no voice {voice!r}", f"choose one of {', '.join(known)}")
    diphones = voice in DIPHONE_PITCH_HZ
    feature = f"int_f0_target_mean={DIPHONE_PITCH_HZ[voice] * pitch}" if diphones else f"f0_shift={pitch}"
    stretch = f"duration_stretch={NOMINAL_WPM / rate_wpm}"
    options = [path, "-voice", voice, "--setf", stretch, "--setf", feature, "-psdur"]
    pieces, phonemes, start_s, rate = [], [], 0.0, 0
    with tempfile.TemporaryDirectory(prefix="locutor-flite-") as folder:
        source, wave = Path(folder, "text.txt"), Path(folder, "speech.wav")
        for sentence in encoded_sentences(text, "flite"):
            source.write_text(sentence)
            printed = run([*options, "-f", str(source), "-o", str(wave)], text, "flite")
            samples, rate = read_wave(wave, text, "flite")
            pieces.append(samples)
            phonemes += _phonemes(_timed(printed, len(samples) / rate), start_s)
            start_s += len(samples) / rate
    return spoken(text, pieces, rate, phonemes)


def voices() -> tuple[str, ...]:
    """Names of the built-in voices that can read any text.

    Raises:
        MissingPartError: flite is not installed.
    """
    return _listed(program("flite", "flite"))


@cache
def _listed(path: str) -> tuple[str, ...]:
    names = run([path, "-lv"], "", "flite").partition(":")[2].split()
    return tuple(sorted(name for name in names if name not in NOT_FOR_TEXT))


def _timed(printed: str, duration_s: float) -> Timed:
    """Phones of all utterances on one clock: a line each, that begins at 0 again.

    The sound is shorter than the phones: the last pause of each utterance is cut (by a tenth of a second for kal).
    """
    items = [[item.partition(":") for item in line.split()] for line in printed.splitlines()]
    utterances = [[(phone, float(end)) for phone, _, end in line if end] for line in items]
    utterances = [utterance for utterance in utterances if utterance]
    if not utterances:
        return []
    cut_s = (sum(utterance[-1][1] for utterance in utterances) - duration_s) / len(utterances)
    found: Timed = []
    start_s = 0.0
    for utterance in utterances:
        end_s = utterance[-1][1] - cut_s
        found += [(phone, start_s + min(at_s, end_s)) for phone, at_s in utterance[:-1]]
        found.append((utterance[-1][0], start_s + end_s))
        start_s += end_s
    return found


def _phonemes(timed: Timed, offset_s: float) -> list[Phoneme]:
    starts = [0.0, *(end_s for _, end_s in timed[:-1])]
    lengths = [end_s - start_s for start_s, (_, end_s) in zip(starts, timed, strict=True)]
    full = [d for d, (phone, _) in zip(lengths, timed, strict=True) if phone in FULL_VOWELS]
    long_s = STRESSED * float(np.median(full)) if full else np.inf
    found = []
    for start_s, length_s, (phone, _) in zip(starts, lengths, timed, strict=True):
        if phone not in IPA_BY_PHONE:
            raise SpeechError(f"flite's phone {phone!r} is not known", "add it to speech/radio_phones.py")
        stressed = phone in FULL_VOWELS and length_s >= long_s
        found.append(Phoneme(("ˈ" if stressed else "") + IPA_BY_PHONE[phone], offset_s + start_s))
    return found

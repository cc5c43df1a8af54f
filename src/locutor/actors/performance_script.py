"""What the performer says, and saying it: sentences with pauses, sound and phonemes on one clock."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from locutor.actors.sentences import PAGES
from locutor.actors.sentences_english import sentence
from locutor.speech.phonemes import PITCH_RANGE, Phoneme, Speech, SpeechError
from locutor.speech.voices import language_of, synthesize


@dataclass(frozen=True)
class Line:
    """One sentence.

    Attributes:
        effort: how loudly it is spoken and how widely the mouth opens, 1 is normal.
        rate_wpm: words per minute.
        pause_s: silence after it.
    """

    text: str
    effort: float = 1.0
    rate_wpm: int = 160
    pause_s: float = 0.7


GREETING = Line("Hello there. I am a made up person, and every move of my mouth is known.")
LEAD_IN_S = 0.8
TAIL_S = 0.06  # what rings on after the last sound
LOUD_SHARE = 0.18
PITCH_BY_EFFORT = 0.35
ROOM_LEVEL = 4e-4  # a recording is never digitally silent


@dataclass(frozen=True)
class SpokenLine:
    """A line at its place in the performance.

    Attributes:
        opening: how widely the mouth opens, 1 is normal: the line's effort and what its speaker makes of it.
    """

    line: Line
    start_s: float
    end_s: float
    phonemes: tuple[Phoneme, ...]
    opening: float = 1.0


@dataclass(frozen=True)
class Recital:
    """The whole sound track.

    Attributes:
        samples: mono sound, exactly as long as was asked for.
        sample_rate: Hz.
        spoken: the lines in order of time, times on the clock of the sound.
    """

    samples: Float32[ndarray, " n"]
    sample_rate: int
    spoken: tuple[SpokenLine, ...]


def lines_of(language: str, rng: np.random.Generator) -> Iterator[Line]:
    """Lines without end in a language of `speech.voices.LANGUAGES`.

    English is made anew each time. Of another language there is a page, in a new order each time it is through.

    Raises:
        SpeechError: there are no sentences in this language.
    """
    if language.startswith("en"):
        yield GREETING
        while True:
            loud = rng.random() < LOUD_SHARE
            yield _delivered(sentence(rng, loud), loud, rng)
    if language not in PAGES:
        raise SpeechError(f"there are no sentences in {language!r}", f"choose one of en-us, en-gb, {', '.join(PAGES)}")
    page = PAGES[language]
    while True:
        for k in rng.permutation(len(page)):
            yield _delivered(page[k], "!" in page[k], rng)


def _delivered(text: str, loud: bool, rng: np.random.Generator) -> Line:
    """A line with its effort, rate and pause; loud ones are slower."""
    effort = float(rng.uniform(1.15, 1.4) if loud else rng.uniform(0.85, 1.1))
    rate_wpm = round(160 - 40 * (effort - 1) + rng.normal(0, 7))
    return Line(text, effort, rate_wpm, float(rng.uniform(0.65, 1.0)))


def recite(seconds: float, voice: str, seed: int, lines: Iterable[Line] | None = None) -> Recital:
    """Speak lines until the time or the lines are up; a line that would not end in time ends the performance.

    Effort raises loudness, pitch and the opening of the mouth together, each with some noise of its own: none of
    them can be read off another.

    Args:
        seconds: length of the sound track.
        voice: as for `speech.voices.synthesize`.
        seed: of the lines and of how they are spoken.
        lines: what to say; without it, seeded sentences in the voice's language.

    Raises:
        SpeechError, MissingPartError: from text to speech.
    """
    rng = np.random.default_rng(seed)
    spoken: list[SpokenLine] = []
    pieces: list[tuple[int, Float32[ndarray, " n"]]] = []
    rate, time_s = 0, LEAD_IN_S
    for line in lines if lines is not None else lines_of(language_of(voice), rng):
        pitch_noise, gain_noise, opening_noise = rng.normal(0, (0.03, 0.06, 0.06))
        pitch = float(np.clip(1 + PITCH_BY_EFFORT * (line.effort - 1) + pitch_noise, *PITCH_RANGE))
        speech = _without_last_pause(synthesize(line.text, voice, line.rate_wpm, pitch))
        rate = speech.sample_rate
        start = round(time_s * rate)
        end_s = (start + len(speech.samples)) / rate
        if end_s + line.pause_s > seconds:
            break
        moved = tuple(Phoneme(p.symbol, start / rate + p.start_s) for p in speech.phonemes)
        spoken.append(SpokenLine(line, start / rate, end_s, moved, float(line.effort * (1 + opening_noise))))
        pieces.append((start, (speech.samples * line.effort * (1 + gain_noise)).astype(np.float32)))
        time_s = end_s + line.pause_s * rng.uniform(0.9, 1.3)
    samples = ROOM_LEVEL * rng.standard_normal(round(seconds * rate)).astype(np.float32)
    for start, piece in pieces:
        samples[start : start + len(piece)] += 0.7 * piece
    return Recital(samples.clip(-1, 1), rate, tuple(spoken))


def _without_last_pause(speech: Speech) -> Speech:
    """A sentence ends with its last sound: the pauses are the script's."""
    last = max(k for k, phoneme in enumerate(speech.phonemes) if phoneme.symbol)
    kept = speech.phonemes[: last + 2]  # the first pause says where the last sound ends
    end_s = kept[-1].start_s + TAIL_S if len(kept) > last + 1 else speech.duration_s
    return Speech(speech.samples[: round(end_s * speech.sample_rate)], speech.sample_rate, kept)

"""What the performer says, and saying it: sentences with pauses, sound and phonemes on one clock."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from locutor.speech.espeak import Phoneme, Speech, synthesize


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


LINES = (
    Line("Hello there. I am a made up person, and every move of my mouth is known."),
    Line("My brother bought five big apples at the market by the bay.", pause_s=0.65),
    Line("Wow! Far above the harbour, a hot air balloon caught fire!", 1.3, 150, 0.9),
    Line("We usually choose the yellow shoes, although they measure a bit small."),
    Line("Please bring the purple map before the bus moves off.", rate_wpm=170),
    Line("You and I could view the blue moon through the open roof.", pause_s=0.8),
    Line("Five very brave wolves fought over a piece of frozen fish."),
    Line("Oh no, not again! The large dog ran off with all the pasta!", 1.25, 155, 0.75),
    Line("Three thin brothers thought that the weather was rather nice.", rate_wpm=165),
    Line("Judge George enjoys fresh orange juice in a huge garage.", pause_s=0.65),
    Line("Keep calm, breathe deeply, and let me hear the sea.", 0.9, 145, 1.0),
    Line("Pop, bop, mama, papa, maybe a bumpy wave of bubbles.", 1.1, 150),
    Line("She sells sixty silver spoons each season, if the weather holds."),
    Line("Who would want to wash a woolly white wall in winter?", pause_s=0.7),
    Line("That is all I have to say for now. Goodbye, and thank you for watching.", pause_s=0.8),
)
LEAD_IN_S = 0.8
TAIL_S = 0.06  # what rings on after the last sound
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


def recite(seconds: float, voice: str, seed: int, lines: tuple[Line, ...] = LINES) -> Recital:
    """Speak lines until the time is up; the first and the last stay in place, the order of the others is seeded.

    Lines repeat, in a new order, when the time is longer than the text; a line that would not end in time is
    left out.

    Raises:
        SpeechError, MissingPartError: from text to speech.
    """
    rng = np.random.default_rng(seed)
    order = [0, *rng.permutation(np.arange(1, len(lines) - 1)), len(lines) - 1]
    spoken: list[SpokenLine] = []
    pieces: list[tuple[int, Float32[ndarray, " n"]]] = []
    rate, time_s, k = 0, LEAD_IN_S, 0
    while True:
        line = lines[order[k % len(order)]]
        speech = _without_last_pause(synthesize(line.text, voice, line.rate_wpm))
        rate = speech.sample_rate
        start = round(time_s * rate)
        end_s = (start + len(speech.samples)) / rate
        if end_s + line.pause_s > seconds:
            break
        moved = tuple(Phoneme(p.symbol, start / rate + p.start_s) for p in speech.phonemes)
        spoken.append(SpokenLine(line, start / rate, end_s, moved))
        pieces.append((start, speech.samples * line.effort))
        time_s = end_s + line.pause_s * rng.uniform(0.9, 1.3)
        k += 1
        if k % len(order) == 0:
            order = list(rng.permutation(len(lines)))
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

"""What every source of speech gives: sound, and the phonemes in it with their times."""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Float32
from numpy import ndarray

from locutor.core.errors import LocutorError

RATE_WPM_RANGE = (80, 450)  # words per minute; the range of espeak-ng
PITCH_RANGE = (0.5, 2.0)  # as a part of the voice's own


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


def check_request(text: str, rate_wpm: int, pitch: float) -> None:
    """What every source asks of a request.

    Raises:
        SpeechError: there is no text, or rate or pitch are out of range.
    """
    if not text.strip():
        raise SpeechError("the text to speak is empty", "give at least one word")
    low, high = RATE_WPM_RANGE
    if not low <= rate_wpm <= high:
        raise SpeechError(f"{rate_wpm} words per minute cannot be spoken", f"choose a rate from {low} to {high}")
    if not PITCH_RANGE[0] <= pitch <= PITCH_RANGE[1]:
        low_pitch, high_pitch = PITCH_RANGE
        raise SpeechError(
            f"{pitch:g} times the voice's pitch cannot be spoken", f"choose from {low_pitch:g} to {high_pitch:g}"
        )


def shortened(text: str) -> str:
    """The beginning of a text, quoted, for messages."""
    return repr(text if len(text) <= 40 else text[:37] + "...")

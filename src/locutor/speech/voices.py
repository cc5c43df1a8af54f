"""One call for every source of speech, and which voices are for training and which for testing alone.

A voice is written SOURCE:NAME: "espeak:de+f3", "flite:slt", "festival:kal_diphone". A name alone is espeak-ng's.
"""

from __future__ import annotations

from locutor.core.errors import MissingPartError
from locutor.speech import espeak, festival, flite
from locutor.speech.phonemes import Speech, SpeechError

SOURCES = ("espeak", "flite", "festival")

LANGUAGES = ("en-us", "en-gb", "de", "fr", "es", "it", "pt", "ru", "pl", "nl", "cmn", "tr", "sv", "cs")
"""Languages of espeak-ng that performers speak."""
ESPEAK_VARIANTS = ("", "+f1", "+f2", "+f3", "+f4", "+f5", "+m1", "+m2", "+m3", "+m4", "+m5", "+m6", "+m7")

TEST_VARIANTS = ("+f5", "+m7")
TEST_LANGUAGES = ("cs", "sv")
TEST_VOICES = (
    *(f"espeak:{language}{variant}" for language in LANGUAGES for variant in TEST_VARIANTS),
    *(f"espeak:{language}{variant}" for language in TEST_LANGUAGES for variant in ESPEAK_VARIANTS
      if variant not in TEST_VARIANTS),
    "flite:awb", "flite:kal", "flite:kal16", "festival:kal_diphone",
    "festival:czech_krb", "festival:czech_ph", "festival:upc_ca_ona_hts",
)  # fmt: skip
"""Never trained on. One speaker is behind all three kal; awb is the only Scot. Swedish and Catalan are heard in no
training voice."""


def synthesize(text: str, voice: str = "espeak:en-us", rate_wpm: int = 165, pitch: float = 1.0) -> Speech:
    """Speak a text of any length.

    Args:
        text: plain text, in the voice's language.
        voice: SOURCE:NAME; see above.
        rate_wpm: words per minute, 80..450.
        pitch: as a part of the voice's own, 0.5..2.

    Raises:
        SpeechError: the text holds nothing to say, the voice does not exist, or rate or pitch are out of range.
        MissingPartError: the source is not installed; the message says how to get it.
    """
    source, name = _split(voice)
    if source == "flite":
        return flite.synthesize(text, name, rate_wpm, pitch)
    if source == "festival":
        return festival.synthesize(text, name, rate_wpm, pitch)
    return espeak.synthesize(text, name, rate_wpm, pitch)


def language_of(voice: str) -> str:
    """Language of a voice, such as "de"; flite speaks American English."""
    source, name = _split(voice)
    if source == "festival":
        return festival.VOICES[name][0]
    return name.partition("+")[0] if source == "espeak" else "en-us"


def installed_voices() -> tuple[str, ...]:
    """All voices whose source is on this machine."""
    found: list[str] = []
    for source, names in (("espeak", _espeak_names), ("flite", flite.voices), ("festival", festival.voices)):
        try:
            found += [f"{source}:{name}" for name in names()]
        except MissingPartError:
            continue
    return tuple(found)


def train_voices() -> tuple[str, ...]:
    """Installed voices that may be trained on."""
    return tuple(voice for voice in installed_voices() if voice not in TEST_VOICES)


def test_voices() -> tuple[str, ...]:
    """Installed voices that are kept for testing alone."""
    return tuple(voice for voice in installed_voices() if voice in TEST_VOICES)


def _espeak_names() -> tuple[str, ...]:
    espeak.synthesize("a")  # raises if the library is missing
    return tuple(language + variant for language in LANGUAGES for variant in ESPEAK_VARIANTS)


def _split(voice: str) -> tuple[str, str]:
    source, colon, name = voice.partition(":")
    if not colon:
        return "espeak", voice
    if source not in SOURCES:
        raise SpeechError(f"there is no source of speech {source!r}", f"choose one of {', '.join(SOURCES)}")
    return source, name

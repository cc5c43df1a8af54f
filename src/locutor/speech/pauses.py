"""Pauses written into a text, as in SSML: `Wait. <break time="500ms"/> Now go.`"""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np

from locutor.speech.phonemes import Phoneme, Speech, SpeechError, shortened

LONGEST_S = 10.0
STRENGTHS_S = {"none": 0.0, "x-weak": 0.1, "weak": 0.2, "medium": 0.4, "strong": 0.7, "x-strong": 1.2}
"""Seconds of a pause of which only the strength is given; SSML leaves them to the synthesiser."""
_IS_MARKED = re.compile(r"</?(?:break|speak)\b")
_TAG = re.compile(r"<(?=[a-zA-Z/!?])([^<>]*)(>?)")
_BREAK = re.compile(r"""break\s*(?:(time|strength)\s*=\s*(?:"([^"]*)"|'([^']*)'))?\s*/""")
_SPEAK = re.compile(r"""/speak\s*|speak(?:\s+[\w:.-]+\s*=\s*(?:"[^"]*"|'[^']*'))*\s*""")
_TIME = re.compile(r"\+?(\d+(?:\.\d*)?|\.\d+)(ms|s)")
_ENTITIES = {"&lt;": "<", "&gt;": ">", "&quot;": '"', "&apos;": "'", "&amp;": "&"}
_ENTITY = re.compile("|".join(_ENTITIES))
_EXAMPLE = 'write <break time="500ms"/>'


def texts_and_pauses(text: str) -> list[str | float]:
    """The texts to speak and the seconds of the pauses, in order.

    A text in which neither `<break` nor `<speak` stands is plain and given back as it is, whatever else it holds. In a
    marked text `<speak>` around it is left out, and &lt; &gt; &amp; &quot; &apos; stand for their characters.

    Raises:
        SpeechError: another tag, a tag that does not end, or a time that is none, or longer than 10 s.
    """
    if not _IS_MARKED.search(text):
        return [text]
    parts: list[str | float] = []
    at = 0
    for tag in _TAG.finditer(text):
        parts.append(text[at : tag.start()])
        at = tag.end()
        inside, end = tag.groups()
        if not end:
            raise SpeechError(f"the tag {shortened(tag.group())} in the text does not end", _EXAMPLE)
        if not _SPEAK.fullmatch(inside):
            parts.append(_pause_s(inside))
    parts.append(text[at:])
    plain = [_ENTITY.sub(lambda found: _ENTITIES[found.group()], p) if isinstance(p, str) else p for p in parts]
    return [part for part in plain if not isinstance(part, str) or any(c.isalnum() for c in part)]


def _pause_s(inside: str) -> float:
    """Seconds of a pause from what stands between < and >."""
    found = _BREAK.fullmatch(inside)
    if not found:
        raise SpeechError(f"the tag <{shortened(inside)[1:-1]}> is not known", f"{_EXAMPLE}; other tags are not read")
    name, value = found[1], found[2] if found[2] is not None else found[3]
    if name != "time":
        strength = value if name else "medium"
        if strength not in STRENGTHS_S:
            raise SpeechError(f"a pause has no strength {strength!r}", f"choose one of {', '.join(STRENGTHS_S)}")
        return STRENGTHS_S[strength]
    time = _TIME.fullmatch(value.strip())
    if not time:
        raise SpeechError(f"a pause cannot last {value!r}", f"{_EXAMPLE} or 1.5s")
    duration_s = float(time[1]) / (1000 if time[2] == "ms" else 1)
    if duration_s > LONGEST_S:
        raise SpeechError(f"a pause of {duration_s:g} s is too long", f"give at most {LONGEST_S:g} s")
    return duration_s


def speak_with_pauses(text: str, sample_rate: int, speak: Callable[[str], Speech]) -> Speech:
    """Speak a text that may hold pauses, each text between them by itself; pauses are digital silence.

    Args:
        text: plain, or with `<break>` as in `texts_and_pauses`.
        sample_rate: Hz, of a text that holds nothing but pauses.
        speak: speaks a plain text; always at one sample rate.

    Raises:
        SpeechError: as in `texts_and_pauses`, or there is neither text nor pause; what `speak` raises.
    """
    parts = texts_and_pauses(text)
    if not any(parts):
        raise SpeechError(f"the text {shortened(text)} holds nothing to say", "give at least one word")
    spoken = {k: speak(part) for k, part in enumerate(parts) if isinstance(part, str)}
    rate = next(iter(spoken.values())).sample_rate if spoken else sample_rate
    samples, phonemes, n_samples = [], list[Phoneme](), 0
    for k, part in enumerate(parts):
        start_s = n_samples / rate
        if isinstance(part, str):
            samples.append(spoken[k].samples)
            phonemes += [Phoneme(p.symbol, start_s + p.start_s) for p in spoken[k].phonemes]
        else:
            samples.append(np.zeros(round(part * rate), np.float32))
            phonemes.append(Phoneme("", start_s))
        n_samples += len(samples[-1])
    return Speech(np.concatenate(samples), rate, tuple(phonemes))

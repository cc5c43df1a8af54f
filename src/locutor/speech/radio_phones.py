"""The American phones of flite and festival (their phone set "radio", nearly that of CMUdict) as IPA."""

from __future__ import annotations

IPA_BY_PHONE: dict[str, str] = {
    "aa": "ɑː", "ae": "æ", "ah": "ʌ", "ao": "ɔː", "aw": "aʊ", "ax": "ə", "axr": "ɚ", "ay": "aɪ", "eh": "ɛ", "er": "ɜː",
    "ey": "eɪ", "ih": "ɪ", "ix": "ᵻ", "iy": "iː", "ow": "oʊ", "oy": "ɔɪ", "uh": "ʊ", "uw": "uː",
    "b": "b", "ch": "tʃ", "d": "d", "dh": "ð", "dx": "ɾ", "el": "əl", "em": "əm", "en": "ən", "f": "f", "g": "ɡ",
    "hh": "h", "hv": "h", "jh": "dʒ", "k": "k", "l": "l", "m": "m", "n": "n", "ng": "ŋ", "nx": "ɾ", "p": "p", "r": "ɹ",
    "s": "s", "sh": "ʃ", "t": "t", "th": "θ", "v": "v", "w": "w", "y": "j", "z": "z", "zh": "ʒ",
    "pau": "", "h#": "", "brth": "", "ssil": "", "sil": "",
}  # fmt: skip
"""Phones to symbols of `Phoneme` without stress; pauses are ""."""

REDUCED = frozenset(("ax", "axr", "ix"))
FULL_VOWELS = frozenset(("aa", "ae", "ah", "ao", "aw", "ay", "eh", "er", "ey", "ih", "iy", "ow", "oy", "uh", "uw"))
VOWELS = FULL_VOWELS | REDUCED

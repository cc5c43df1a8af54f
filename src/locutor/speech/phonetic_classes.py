"""Sounds of all languages in 23 broad classes, and these in 12 kinds that lips tell apart (visemes)."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray

from locutor.speech.phonemes import Phoneme, SpeechError

CLASSES: tuple[tuple[str, str], ...] = (
    ("silence", ""), ("p b", "pbɓʙ"), ("m", "mɱ"), ("f v", "fvʋⱱɸβ"), ("w", "wʍɥ"), ("sh zh", "ʃʒʂʐɕʑɧʧʤʨʥ"),
    ("s z", "szʦʣɬɮ"), ("t d", "tdɗʈɖ"), ("n", "nɳɲŋɴ"), ("l", "lɫɭʎʟɺ"), ("th", "θð"), ("k g", "kɡgqɢɟcɠʛʄ"),
    ("h x", "hɦxχɣçħʕʔʜʢʝʁʀɰ"), ("r", "rɾɽ"), ("rhotic", "ɹɻɚɝɜ"), ("i", "iɪjᵻɨ"), ("e", "eɛ"), ("a", "aæ"),
    ("open", "ɑʌɐ"), ("schwa", "əɘɤɯ"), ("o", "oɔɒɵɞɶ"), ("u", "uʊʉ"), ("y", "yʏøœ"),
)  # fmt: skip
"""Name and letters of the IPA of each class."""

VISEMES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("silence", ("silence",)),
    ("closed", ("p b", "m")),
    ("lip and teeth", ("f v",)),
    ("rounded", ("w", "u", "y")),
    ("postalveolar", ("sh zh",)),
    ("sibilant", ("s z",)),
    ("front of the tongue", ("t d", "n", "l", "th", "r")),
    ("neutral", ("k g", "h x", "schwa")),
    ("rhotic", ("rhotic",)),
    ("spread", ("i", "e")),
    ("open", ("a", "open")),
    ("round mid", ("o",)),
)
"""Name and classes of each viseme."""

N_CLASSES, N_VISEMES = len(CLASSES), len(VISEMES)
VOICELESS = frozenset("pftkcqθsʃʂɕhxχçħʔɸɬʧʨʦʈʜʍ")
_CLASS_OF = {letter: k for k, (_, letters) in enumerate(CLASSES) for letter in letters}
_MARKS = frozenset("ˈˌːˑˤˠʰʱʲʷᵝˀʼ˞-.'‿‖|˥˦˧˨˩↑↓↗↘0123456789") | {chr(c) for c in range(0x300, 0x370)}


def viseme_of_class() -> Int[ndarray, 23]:
    """Index into `VISEMES` for each of `CLASSES`."""
    names = [name for name, _ in CLASSES]
    table = np.zeros(N_CLASSES, np.int64)
    for k, (_, members) in enumerate(VISEMES):
        table[[names.index(member) for member in members]] = k
    return table


def letters_of(symbol: str) -> list[str]:
    """The letters of a phoneme that stand for sounds, in order; diphthongs and affricates have two.

    Raises:
        SpeechError: a letter is in no class and is no mark.
    """
    found: list[str] = []
    for letter in symbol:
        for part in letter if letter in _CLASS_OF else unicodedata.normalize("NFD", letter):
            if part in _CLASS_OF:
                found.append(part)
            elif part not in _MARKS:
                raise SpeechError(
                    f"no class has the letter {part!r} (U+{ord(part):04X}) of the sound {symbol!r}",
                    "add it to speech/phonetic_classes.py",
                )
    return found


def class_track(
    phonemes: Sequence[Phoneme], end_s: float, times_s: Float[ndarray, " T"]
) -> tuple[Int[ndarray, " T"], Bool[ndarray, " T"]]:
    """Which class sounds at each time, and whether with voice.

    Args:
        phonemes: in order of time.
        end_s: when the last one ends; afterwards there is silence.
        times_s: seconds.
    """
    starts, classes, voiced = [-np.inf], [0], [False]
    ends = [p.start_s for p in phonemes[1:]] + [end_s]
    for phoneme, until in zip(phonemes, ends, strict=True):
        letters = letters_of(phoneme.symbol)
        if not letters:
            if not phoneme.symbol:
                starts, classes, voiced = [*starts, phoneme.start_s], [*classes, 0], [*voiced, False]
            continue  # a mark alone: the sound before goes on
        edges = np.linspace(phoneme.start_s, until, len(letters) + 1)[:-1]
        starts += edges.tolist()
        classes += [_CLASS_OF[letter] for letter in letters]
        voiced += [letter not in VOICELESS for letter in letters]
    rows = np.searchsorted([*starts, end_s], times_s, side="right") - 1
    return np.array([*classes, 0])[rows], np.array([*voiced, False])[rows]

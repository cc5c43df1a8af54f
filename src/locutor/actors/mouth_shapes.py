"""What the mouth does for each sound: two tables from letters of the IPA to mouth shapes, one for each generator.

All sounds of one class share one shape, so nobody can read from the lips what lips do not show: p, b and m are the
same. A mark (stress, length, tone, nasality) changes no shape.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from locutor.speech.espeak import SpeechError

CONTROLS = (
    "jawOpen", "mouthClose", "mouthFunnel", "mouthPucker", "mouthStretch", "mouthSmile", "mouthLowerDown",
    "mouthUpperUp", "mouthRollLower", "mouthRollUpper", "mouthPress",
)  # fmt: skip
"""The mouth's part of ARKit's names; those with a side stand for both."""
ROUNDING = ("mouthPucker", "mouthFunnel")
"""Controls that most consonants leave to the sounds around them."""

MARKS = frozenset("ˈˌːˑˤˠʰʱʲᵝˀʼ˞-.'‿‖|˥˦˧˨˩↑↓↗↘0123456789") | {
    chr(c) for c in range(0x300, 0x370)  # combining marks
}  # fmt: skip
"""What changes nothing that lips show."""


@dataclass(frozen=True)
class Viseme:
    """A mouth shape.

    Attributes:
        name: of the class of sounds.
        shape: weights of `CONTROLS`; those not named are 0.
        dominance: how firmly it holds against its neighbours.
        rounding: the same for `ROUNDING`.
        reach: how far in time it reaches, as a part of the generator's reach.
        stretches: whether stress and effort open it wider (vowels).
    """

    name: str
    shape: Mapping[str, float]
    dominance: float = 1.0
    rounding: float = 1.0
    reach: float = 1.0
    stretches: bool = False


def _vowel(name: str, **shape: float) -> Viseme:
    return Viseme(name, shape, stretches=True)


def _closed(dominance: float, **shape: float) -> Viseme:
    return Viseme("closed", shape, dominance, rounding=2.0, reach=0.35)


SILENCE = Viseme("silence", {}, 2.5, 2.5)


def shapes_of(symbol: str, visemes: Mapping[str, Viseme]) -> list[Viseme]:
    """The mouth shapes of one phoneme in order: diphthongs and affricates have two, a pause has none.

    Raises:
        SpeechError: a letter is neither in the table nor a mark.
    """
    shapes: list[Viseme] = []
    for letter in symbol:
        for part in letter if letter in visemes else unicodedata.normalize("NFD", letter):
            if part in visemes:
                shapes.append(visemes[part])
            elif part not in MARKS:
                raise SpeechError(
                    f"there is no mouth shape for {part!r} (U+{ord(part):04X}) in the sound {symbol!r}",
                    "add the letter to the tables of actors/mouth_shapes.py",
                )
    return shapes


def _a() -> dict[str, Viseme]:
    plain = {"rounding": 0.15}  # leaves the rounding to the vowels
    groups = (
        (_closed(40.0, jawOpen=0.05, mouthClose=0.05, mouthPress=0.35, mouthRollLower=0.22, mouthRollUpper=0.18),
         "pbmɓʙ"),
        (Viseme("lip and teeth", {"jawOpen": 0.055, "mouthRollLower": 0.42, "mouthUpperUp": 0.22, "mouthStretch": 0.08},
                12.0, 0.5, 0.5), "fvɱⱱʋ"),
        (Viseme("nearly closed", {"jawOpen": 0.06, "mouthPress": 0.1, "mouthRollLower": 0.1}, 4.0, 0.5, 0.6), "ɸβ"),
        (Viseme("rounded", {"jawOpen": 0.05, "mouthPucker": 0.85, "mouthFunnel": 0.22}, 3.0, 3.0, 0.8), "wʍɥʷ"),
        (Viseme("postalveolar", {"jawOpen": 0.07, "mouthFunnel": 0.50, "mouthPucker": 0.25, "mouthLowerDown": 0.10},
                1.8, 1.8), "ʃʒʂʐɕʑʧʤʨʥɧ"),
        (Viseme("sibilant", {"jawOpen": 0.05, "mouthStretch": 0.22, "mouthLowerDown": 0.26, "mouthUpperUp": 0.12}, 1.5,
                **plain), "szʦʣɬɮ"),
        (Viseme("alveolar", {"jawOpen": 0.10, "mouthLowerDown": 0.16, "mouthUpperUp": 0.08}, 0.7, **plain),
         "tdnlɾɫrɗʈɖɳɭɽɺ"),
        (Viseme("dental", {"jawOpen": 0.12, "mouthLowerDown": 0.22, "mouthUpperUp": 0.08}, 1.2, **plain), "θð"),
        (Viseme("back of the tongue", {"jawOpen": 0.15, "mouthLowerDown": 0.08}, 0.35, **plain),
         "kɡgŋhɦxʔçcɟɲʎʝɣχʁʀħʕqɢɴʛɠʄɰʟʜʢ"),
        (Viseme("rhotic", {"jawOpen": 0.10, "mouthPucker": 0.30, "mouthFunnel": 0.28}, 0.8, 0.8), "ɹɝɚɻ"),
        (_vowel("front close", jawOpen=0.11, mouthSmile=0.30, mouthStretch=0.22, mouthLowerDown=0.22,
                mouthUpperUp=0.10), "iɪjᵻɨ"),
        (_vowel("front mid", jawOpen=0.24, mouthSmile=0.14, mouthStretch=0.18, mouthLowerDown=0.28,
                mouthUpperUp=0.15), "eɛ"),
        (_vowel("front open", jawOpen=0.42, mouthStretch=0.20, mouthLowerDown=0.32, mouthUpperUp=0.22), "aæ"),
        (_vowel("central", jawOpen=0.19, mouthLowerDown=0.14, mouthUpperUp=0.05), "əɜɐɘɯɤ"),
        (_vowel("open", jawOpen=0.50, mouthLowerDown=0.22, mouthUpperUp=0.14), "ɑ"),
        (_vowel("half open", jawOpen=0.33, mouthLowerDown=0.20, mouthUpperUp=0.10), "ʌ"),
        (_vowel("round mid", jawOpen=0.30, mouthFunnel=0.55, mouthPucker=0.22), "ɔɒoœøɞɶɵ"),
        (_vowel("round close", jawOpen=0.11, mouthPucker=0.72, mouthFunnel=0.25), "uʊyʏʉ"),
    )  # fmt: skip
    return {letter: viseme for viseme, letters in groups for letter in letters}


def _b() -> dict[str, Viseme]:
    plain = {"rounding": 0.1}
    groups = (
        (_closed(30.0, jawOpen=0.08, mouthClose=0.08, mouthPress=0.20, mouthRollLower=0.08, mouthRollUpper=0.06),
         "pbmɓʙɸβ"),
        (Viseme("lip and teeth", {"jawOpen": 0.09, "mouthClose": 0.03, "mouthRollLower": 0.36, "mouthUpperUp": 0.34},
                10.0, 0.3, 0.45), "fvɱⱱʋ"),
        # r belongs to the rounded ones here, and the hissing sounds are one class with t, d, n and l.
        (Viseme("rounded", {"jawOpen": 0.09, "mouthPucker": 0.38, "mouthFunnel": 0.55}, 2.2, 2.5), "wʍɥʷɹɻ"),
        (Viseme("postalveolar", {"jawOpen": 0.03, "mouthFunnel": 0.72, "mouthUpperUp": 0.20, "mouthLowerDown": 0.20},
                2.2, 2.2), "ʃʒʂʐɕʑʧʤʨʥɧ"),
        (Viseme("front of the tongue", {"jawOpen": 0.04, "mouthSmile": 0.10, "mouthLowerDown": 0.34,
                                        "mouthUpperUp": 0.05}, 1.1, **plain), "szʦʣɬɮtdnlɾɫrɗʈɖɳɭɽɺθð"),
        (Viseme("back of the tongue", {"jawOpen": 0.22, "mouthUpperUp": 0.10}, 0.5, **plain), "kɡgŋxçcɟɲʎʝɣqɢɴʛɠʄɰʟj"),
        (Viseme("throat", {"jawOpen": 0.18}, 0.15, **plain), "hɦʔχʁʀħʕʜʢ"),
        (_vowel("front", jawOpen=0.14, mouthSmile=0.42, mouthLowerDown=0.40, mouthUpperUp=0.05), "iɪᵻɨeɘ"),
        (_vowel("half open", jawOpen=0.34, mouthSmile=0.20, mouthLowerDown=0.36, mouthUpperUp=0.28), "ɛæ"),
        (_vowel("open", jawOpen=0.62, mouthStretch=0.06, mouthLowerDown=0.12, mouthUpperUp=0.26), "aɐɑʌ"),
        (_vowel("central", jawOpen=0.24, mouthFunnel=0.10, mouthLowerDown=0.26), "əɜɝɚɯɤɞ"),
        (_vowel("round open", jawOpen=0.44, mouthFunnel=0.34, mouthPucker=0.08, mouthUpperUp=0.10), "ɔɒœɶ"),
        (_vowel("round", jawOpen=0.17, mouthPucker=0.40, mouthFunnel=0.62), "oøɵuʊyʏʉ"),
    )  # fmt: skip
    return {letter: viseme for viseme, letters in groups for letter in letters}


VISEMES_A, VISEMES_B = _a(), _b()

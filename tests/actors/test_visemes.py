import numpy as np
import pytest

from locutor.actors.generators import GENERATORS
from locutor.actors.mouth_shapes import CONTROLS, shapes_of
from locutor.actors.style import Style
from locutor.actors.visemes import gestures, mouth_track
from locutor.speech.espeak import Phoneme, SpeechError

FRAMES_S = (np.arange(50) + 0.5) / 25
A, B = GENERATORS["A"], GENERATORS["B"]
both = pytest.mark.parametrize("generator", [A, B], ids=["A", "B"])


def _phonemes(*sounds: tuple[str, float]) -> tuple[list[Phoneme], float]:
    start_s, phonemes = 0.4, []
    for symbol, length_s in sounds:
        phonemes.append(Phoneme(symbol, start_s))
        start_s += length_s
    return phonemes, start_s


def _track(*sounds, times_s=FRAMES_S, opening=1.0, generator=A, style=None) -> dict[str, np.ndarray]:
    """Controls for sounds given as (symbol, length in seconds), the first one at 0.4 s."""
    phonemes, end_s = _phonemes(*sounds)
    track = mouth_track(gestures(phonemes, end_s, generator, opening), times_s, generator, style or Style())
    return dict(zip(CONTROLS, track.T, strict=True))


def _opening(mouth: dict[str, np.ndarray]) -> np.ndarray:
    return mouth["jawOpen"] - mouth["mouthClose"] + 0.5 * (mouth["mouthLowerDown"] + mouth["mouthUpperUp"])


@both
@pytest.mark.parametrize("closed", ["p", "b", "m"])
@pytest.mark.parametrize("vowel", ["ˈɑː", "ˈæ", "ʌ", "ˈoʊ"])
def test_lips_close_between_open_vowels(closed, vowel, generator):
    fine_s = np.arange(0.3, 0.9, 0.005)
    for style in (generator.styles.draw(seed) for seed in range(5)):
        mouth = _track((vowel, 0.16), (closed, 0.07), (vowel, 0.16), times_s=fine_s, generator=generator, style=style)
        at_closure = np.abs(fine_s - (0.4 + 0.16 + 0.035 - style.lead_s)).argmin()
        assert _opening(mouth)[at_closure] < 0.05
        assert mouth["mouthPress"][at_closure] > 0.8 * generator.visemes["p"].shape["mouthPress"]
        assert _opening(mouth).max() > 0.18


@both
def test_vowels_open_between_closures(generator):
    fine_s = np.arange(0.3, 0.9, 0.005)
    mouth = _track(("m", 0.08), ("ˈɑː", 0.12), ("m", 0.08), times_s=fine_s, generator=generator)
    assert _opening(mouth).max() > 0.4


@both
@pytest.mark.parametrize("sound", ["f", "v"])
def test_lower_lip_meets_the_teeth(sound, generator):
    mouth = _track(("æ", 0.15), (sound, 0.09), ("iː", 0.15), generator=generator)
    assert mouth["mouthRollLower"].max() > 0.8 * generator.visemes["f"].shape["mouthRollLower"]
    frame = mouth["mouthRollLower"].argmax()
    assert mouth["jawOpen"][frame] - mouth["mouthClose"][frame] < 0.1


@both
def test_rounding_and_width(generator):
    for symbol in ("w", "uː", "oʊ", "yː"):
        mouth = _track((symbol, 0.2), generator=generator)
        assert mouth["mouthPucker"].max() + mouth["mouthFunnel"].max() > 0.65, symbol
        assert mouth["mouthStretch"].max() < 0.02
    assert _track(("iː", 0.2), generator=generator)["mouthSmile"].max() > 0.2
    assert _track(("ˈɑː", 0.2), generator=generator)["jawOpen"].max() > 0.5


@both
def test_rounding_spreads_ahead_through_consonants(generator):
    fine_s = np.arange(0.0, 1.0, 0.005)
    at_s = np.abs(fine_s - (0.45 - Style().lead_s)).argmin()
    rounding = [
        _track(("s", 0.1), ("t", 0.06), (vowel, 0.2), times_s=fine_s, generator=generator) for vowel in ("uː", "iː")
    ]
    before_u, before_i = (mouth["mouthPucker"][at_s] + mouth["mouthFunnel"][at_s] for mouth in rounding)
    assert before_u > 0.2
    assert before_i < 0.01


def test_stress_and_effort_open_wider():
    jaws = [
        _track((s, 0.2), opening=e)["jawOpen"].max() for s, e in (("ɑː", 1.0), ("ˌɑː", 1.0), ("ˈɑː", 1.0), ("ˈɑː", 1.3))
    ]
    assert jaws == sorted(jaws)
    assert jaws[0] < 0.9 * jaws[1] < 0.81 * jaws[2]


@both
def test_silence_is_fully_closed(generator):
    times_s = np.array([0.05, 1.15, 1.2, 1.9])
    mouth = _track(("", 0.3), ("ˈɑː", 0.2), ("", 0.6), ("ˈæ", 0.2), times_s=times_s, generator=generator)
    assert max(np.abs(values).max() for values in mouth.values()) < 0.01
    far = _track(("ˈɑː", 0.2), times_s=np.array([5.0]), generator=generator)
    assert max(values.max() for values in far.values()) < 1e-6


@pytest.mark.parametrize("lead_s", [0.08, 0.12])
def test_lips_lead_the_sound(lead_s):
    fine_s = np.arange(0, 1.2, 0.001)
    jaw = _track(("ˈɑː", 0.1), times_s=fine_s, style=Style(lead_s=lead_s))["jawOpen"]
    middle_s = (fine_s * jaw).sum() / jaw.sum()
    assert lead_s <= 0.45 - middle_s <= lead_s + 0.02


@both
def test_diphthongs_and_affricates_have_two_parts(generator):
    phonemes = [Phoneme("ˈaʊ", 0.0), Phoneme("tʃ", 0.2), Phoneme("", 0.3)]
    shapes = gestures(phonemes, 0.5, generator)
    assert [g.viseme for g in shapes[:4]] == [generator.visemes[c] for c in "aʊtʃ"]
    assert [g.start_s for g in shapes] == pytest.approx([0, 0.1, 0.2, 0.25, 0.3])


def test_short_pauses_do_not_close_the_mouth():
    assert len(gestures([Phoneme("ɑ", 0.0), Phoneme("", 0.1)], 0.15, A)) == 1


@both
@pytest.mark.parametrize("pair", [("p", "b"), ("m", "b"), ("f", "v"), ("s", "z"), ("tʃ", "dʒ"), ("k", "ɡ"), ("d", "n")])
def test_homophemes_look_the_same(pair, generator):
    one, other = (_track((sound, 0.1), ("ˈæ", 0.15), (sound, 0.1), generator=generator) for sound in pair)
    for name in CONTROLS:
        assert np.array_equal(one[name], other[name]), name


def test_borders_between_classes_differ():
    def together(generator, letters):
        return len({generator.visemes[c].name for c in letters}) == 1

    assert together(A, "tdnl")
    assert not together(A, "ts")
    assert together(B, "tdnlszθ")
    assert together(B, "wɹ")
    assert not together(A, "wɹ")


@both
def test_composed_letters_and_marks(generator):
    assert shapes_of("ˈä̃ː", generator.visemes) == [generator.visemes["a"]]
    assert shapes_of("ç", generator.visemes) == [generator.visemes["ç"]]
    assert shapes_of("ts.h", generator.visemes) == [generator.visemes[c] for c in "tsh"]
    assert shapes_of("", generator.visemes) == []


@both
def test_an_unknown_letter_is_an_error(generator):
    with pytest.raises(SpeechError, match=r"no mouth shape for '☃' \(U\+2603\)"):
        shapes_of("a☃", generator.visemes)


def test_both_tables_know_the_same_letters():
    assert A.visemes.keys() == B.visemes.keys()

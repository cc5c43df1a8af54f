import numpy as np
import pytest

from locutor.actors.visemes import CONTROLS, LEAD_S, VISEMES, gestures, mouth_track
from locutor.speech.espeak import Phoneme

FRAMES_S = (np.arange(50) + 0.5) / 25


def _track(*sounds: tuple[str, float], times_s=FRAMES_S, effort=1.0) -> dict[str, np.ndarray]:
    """Controls for sounds given as (symbol, length in seconds), the first one at 0.4 s."""
    start_s, phonemes = 0.4, []
    for symbol, length_s in sounds:
        phonemes.append(Phoneme(symbol, start_s))
        start_s += length_s
    track = mouth_track(gestures(phonemes, start_s, effort), times_s)
    return dict(zip(CONTROLS, track.T, strict=True))


@pytest.mark.parametrize("closed", ["p", "b", "m"])
@pytest.mark.parametrize("vowel", ["ˈɑː", "ˈæ", "ʌ", "ˈoʊ"])
def test_lips_close_between_open_vowels(closed, vowel):
    fine_s = np.arange(0.3, 0.9, 0.005)
    mouth = _track((vowel, 0.16), (closed, 0.07), (vowel, 0.16), times_s=fine_s)
    opening = mouth["jawOpen"] - mouth["mouthClose"] + 0.5 * (mouth["mouthLowerDown"] + mouth["mouthUpperUp"])
    at_closure = np.abs(fine_s - (0.4 + 0.16 + 0.035 - LEAD_S)).argmin()
    assert opening[at_closure] < 0.04
    assert mouth["mouthPress"][at_closure] > 0.28
    assert opening.max() > 0.18


@pytest.mark.parametrize("sound", ["f", "v"])
def test_lower_lip_meets_the_teeth(sound):
    mouth = _track(("æ", 0.15), (sound, 0.09), ("iː", 0.15))
    assert mouth["mouthRollLower"].max() > 0.33
    frame = mouth["mouthRollLower"].argmax()
    assert mouth["jawOpen"][frame] < 0.1


def test_rounding_and_width():
    for symbol in ("w", "uː", "oʊ"):
        mouth = _track((symbol, 0.2))
        assert mouth["mouthPucker"].max() + mouth["mouthFunnel"].max() > 0.7, symbol
        assert mouth["mouthStretch"].max() < 0.02
    assert _track(("iː", 0.2))["mouthSmile"].max() > 0.2
    assert _track(("ˈɑː", 0.2))["jawOpen"].max() > 0.5


def test_stress_and_effort_open_wider():
    jaws = [
        _track((s, 0.2), effort=e)["jawOpen"].max() for s, e in (("ɑː", 1.0), ("ˌɑː", 1.0), ("ˈɑː", 1.0), ("ˈɑː", 1.3))
    ]
    assert jaws == sorted(jaws)
    assert jaws[0] < 0.9 * jaws[1] < 0.81 * jaws[2]


def test_silence_is_fully_closed():
    mouth = _track(("", 0.3), ("ˈɑː", 0.2), ("", 0.6), ("ˈæ", 0.2), times_s=np.array([0.05, 1.15, 1.2, 1.9]))
    assert max(np.abs(values).max() for values in mouth.values()) < 0.01
    far = _track(("ˈɑː", 0.2), times_s=np.array([5.0]))
    assert max(values.max() for values in far.values()) < 1e-6


def test_lips_lead_the_sound():
    fine_s = np.arange(0, 1.2, 0.001)
    jaw = _track(("ˈɑː", 0.1), times_s=fine_s)["jawOpen"]
    middle_s = (fine_s * jaw).sum() / jaw.sum()
    assert 0.08 <= 0.45 - middle_s <= 0.11


def test_diphthongs_and_affricates_have_two_parts():
    phonemes = [Phoneme("ˈaʊ", 0.0), Phoneme("tʃ", 0.2), Phoneme("", 0.3)]
    shapes = gestures(phonemes, 0.5)
    assert [g.viseme for g in shapes[:4]] == [VISEMES[c] for c in "aʊtʃ"]
    assert [g.start_s for g in shapes] == pytest.approx([0, 0.1, 0.2, 0.25, 0.3])


def test_short_pauses_do_not_close_the_mouth():
    assert len(gestures([Phoneme("ɑ", 0.0), Phoneme("", 0.1)], 0.15)) == 1

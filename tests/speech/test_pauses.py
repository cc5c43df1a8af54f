import numpy as np
import pytest

from locutor.live.session import sentences
from locutor.speech import espeak
from locutor.speech.pauses import speak_with_pauses, texts_and_pauses
from locutor.speech.phonemes import Phoneme, Speech, SpeechError


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ('Wait. <break time="500ms"/> Now go.', ["Wait. ", 0.5, " Now go."]),
        ("<speak version='1.1'>a<break time='1.5s' />b</speak>", ["a", 1.5, "b"]),
        ('a<break/>b<break strength="strong"/>', ["a", 0.4, "b", 0.7]),
        ("<speak>Fish &amp; chips &lt;3</speak>", ["Fish & chips <3"]),
        ('1 < 2 <break time=".25s"/>', ["1 < 2 ", 0.25]),
        ("a <b> & 1 < 2 &amp;", ["a <b> & 1 < 2 &amp;"]),  # nothing marked: plain text
        ("breakfast", ["breakfast"]),
    ],
)
def test_texts_and_pauses(text, parts):
    assert texts_and_pauses(text) == parts


@pytest.mark.parametrize(
    "text",
    [
        'a <break time="half a second"/> b',
        'a <break time="500"/> b',  # a unit is missing
        'a <break time="-1s"/> b',
        'a <break time="11s"/> b',
        'a <break time="1s"> b',  # not closed
        'a <break time="1s" b',
        "a <break time=1s/> b",
        'a <break strength="huge"/> b',
        'a <break length="1s"/> b',
        "<speak>a <prosody rate='fast'>b</prosody></speak>",
        "<speak>a <!-- b --></speak>",
    ],
)
def test_malformed_pauses_are_refused(text):
    with pytest.raises(SpeechError):
        texts_and_pauses(text)


def _beep(text: str) -> Speech:
    return Speech(np.ones(100 * len(text), np.float32), 1000, (Phoneme("a", 0.0),))


def test_pauses_move_what_follows():
    speech = speak_with_pauses("<break time='1s'/>ab<break time='2s'/>c", 16_000, _beep)
    assert [(p.symbol, p.start_s) for p in speech.phonemes] == [("", 0), ("a", 1), ("", 1.2), ("a", 3.2)]
    assert speech.sample_rate == 1000
    assert speech.duration_s == pytest.approx(3.3)
    assert not speech.samples[1200:3200].any()
    alone = speak_with_pauses("<break time='1s'/>", 16_000, _beep)
    assert (alone.duration_s, alone.sample_rate) == (1, 16_000)
    with pytest.raises(SpeechError, match="nothing to say"):
        speak_with_pauses("<speak> ... </speak>", 16_000, _beep)


def test_espeak_pauses_and_sentences_keep_their_pauses():
    text = 'One. <break time="800ms"/> Two.'
    plain, paused = espeak.synthesize("One."), espeak.synthesize(text)
    assert paused.duration_s == pytest.approx(plain.duration_s + 0.8 + espeak.synthesize("Two.").duration_s, abs=0.01)
    assert sentences(text) == ["One.", '<break time="800ms"/> Two.']

import numpy as np
import pytest

from locutor.actors.mouth_shapes import VISEMES_A, VISEMES_B, shapes_of
from locutor.core.errors import MissingPartError
from locutor.speech import espeak, festival, flite, spoken_programs, voices
from locutor.speech.phonemes import SpeechError
from locutor.speech.phonetic_classes import class_track, letters_of
from locutor.speech.radio_phones import FULL_VOWELS, IPA_BY_PHONE, VOWELS

TEXT = "Please bring the purple map, before the bus moves off. Then go home!"


@pytest.fixture(scope="module")
def installed() -> tuple[str, ...]:
    return voices.installed_voices()


def _voice(installed, source: str) -> str:
    found = [v for v in installed if v.startswith(source + ":") and voices.language_of(v).startswith("en")]
    if not found:
        pytest.skip(f"{source} is not installed")
    return found[-1]


@pytest.mark.parametrize("source", voices.SOURCES)
def test_phonemes_tile_the_sound_and_pauses_are_quiet(installed, source):
    speech = voices.synthesize(TEXT, _voice(installed, source))
    starts = [p.start_s for p in speech.phonemes]
    assert starts == sorted(starts)
    assert starts[0] >= 0
    assert starts[-1] <= speech.duration_s
    symbols = [p.symbol for p in speech.phonemes]
    assert sum(symbol == "p" for symbol in symbols) == 4
    assert sum(symbol == "m" for symbol in symbols) == 3
    assert any(symbol.startswith("ˈ") for symbol in symbols)
    loud, quiet = [], []
    for phoneme, end_s in zip(speech.phonemes, [*starts[1:], speech.duration_s], strict=True):
        piece = speech.samples[round(phoneme.start_s * speech.sample_rate) : round(end_s * speech.sample_rate)]
        middle = piece[len(piece) // 3 : 2 * len(piece) // 3]
        if len(middle):
            (loud if "ˈ" in phoneme.symbol else quiet if not phoneme.symbol else []).append(np.std(middle))
    assert np.median(loud) > 10 * np.median(quiet)


@pytest.mark.parametrize("source", voices.SOURCES)
def test_rate_pitch_and_the_same_bytes_again(installed, source):
    voice = _voice(installed, source)
    usual, again = (voices.synthesize(TEXT, voice) for _ in range(2))
    assert usual.samples.tobytes() == again.samples.tobytes()
    assert usual.phonemes == again.phonemes
    slow = voices.synthesize(TEXT, voice, rate_wpm=110)
    assert 1.2 < slow.duration_s / usual.duration_s < 1.8
    high = voices.synthesize(TEXT, voice, pitch=1.4)
    assert 1.15 < _pitch_hz(high) / _pitch_hz(usual) < 1.7


def _pitch_hz(speech) -> float:
    """Median over stressed vowels of the autocorrelation's peak."""
    found = []
    for k, phoneme in enumerate(speech.phonemes[:-1]):
        if "ˈ" in phoneme.symbol:
            rate = speech.sample_rate
            piece = speech.samples[round(phoneme.start_s * rate) : round(speech.phonemes[k + 1].start_s * rate)]
            low, high = rate // 400, rate // 60
            if len(piece) > high:
                correlation = np.correlate(piece, piece, "full")[len(piece) - 1 :]
                found.append(rate / (low + int(np.argmax(correlation[low:high]))))
    return float(np.median(found))


@pytest.mark.parametrize("source", ["flite", "festival"])
def test_unknown_voices_and_unspeakable_texts(installed, source):
    voice = _voice(installed, source)
    with pytest.raises(SpeechError, match="no voice 'nobody'"):
        voices.synthesize(TEXT, f"{source}:nobody")
    with pytest.raises(SpeechError, match="nothing that"):
        voices.synthesize("你好。", voice)
    with pytest.raises(SpeechError, match="empty"):
        voices.synthesize(" ", voice)
    quoted = voices.synthesize('He said "no" \\ (twice) and café.', voice)
    assert quoted.duration_s > 1


@pytest.mark.parametrize(("module", "source"), [(flite, "flite"), (festival, "festival")])
def test_a_missing_program_says_what_to_install(monkeypatch, module, source):
    monkeypatch.setattr(spoken_programs.shutil, "which", lambda name: None)
    with pytest.raises(MissingPartError, match=f"apt install {source}"):
        voices.synthesize(TEXT, f"{source}:any")
    assert not any(voice.startswith(source) for voice in voices.installed_voices())


def test_a_failing_program_is_an_error():
    with pytest.raises(SpeechError, match="'text': broken"):
        spoken_programs.run(["sh", "-c", "echo broken >&2; exit 3"], "text", "it")


def test_names():
    assert voices.language_of("espeak:de+f3") == voices.language_of("de") == "de"
    assert voices.language_of("flite:slt") == "en-us"
    with pytest.raises(SpeechError, match="no source of speech 'human'"):
        voices.synthesize(TEXT, "human:me")


def test_test_voices_are_apart(installed):
    train, test = voices.train_voices(), voices.test_voices()
    assert not set(train) & set(test)
    assert set(train) | set(test) == set(installed)
    for source in {voice.partition(":")[0] for voice in installed}:
        assert any(voice.startswith(source) for voice in test), source
    speakers = [
        {v.partition(":")[2].removeprefix("czech_")[:3] for v in part if not v.startswith("espeak")}
        for part in (train, test)
    ]
    assert not speakers[0] & speakers[1]


def test_flite_times_go_on_over_utterances():
    timed = flite._timed("pau:0.1 p:0.2 pau:0.4\npau:0.1 aa:0.3 pau:0.5\n", 0.7)
    assert [phone for phone, _ in timed] == ["pau", "p", "pau", "pau", "aa", "pau"]
    assert [end_s for _, end_s in timed] == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.6, 0.7])
    assert flite._timed("", 0.1) == []


def test_phones_are_ipa():
    assert len(FULL_VOWELS) == 15
    assert all(IPA_BY_PHONE[phone][0] in "aeioɑæʌɔəɚɛɜɪᵻʊu" for phone in VOWELS)


def test_aliases_and_language_switches():
    try:
        # Not with a variant such as +f2: its breath is random.
        british, plain = (espeak.synthesize("Hello.", voice).samples for voice in ("en-gb", "en"))
        switched = espeak.synthesize("今日は computer です。", "ja")
    except MissingPartError:
        pytest.skip("espeak-ng is not installed")
    assert np.array_equal(british, plain)
    assert not any("(" in phoneme.symbol for phoneme in switched.phonemes)


def test_every_phone_of_festival_has_a_class_and_a_mouth_shape():
    for _, encoding, phones in festival.VOICES.values():
        assert "".encode(encoding) == b""
        for ipa in phones.values():
            letters_of(ipa)
            for table in (VISEMES_A, VISEMES_B):
                shapes_of(ipa, table)


def test_letters_outside_of_the_encoding_lose_their_accents():
    assert spoken_programs.encoded_sentences("Žluťoučký kůň!", "it") == ["Zlutoucky kun!"]
    assert spoken_programs.encoded_sentences("Žluťoučký kůň!", "it", "iso-8859-2") == ["Žluťoučký kůň!"]
    with pytest.raises(SpeechError, match="nothing that it can say"):
        spoken_programs.encoded_sentences("漢字", "it")


FOREIGN = {"cs": "Dobrý den, přítel čeká.", "it": "Buongiorno, mangia la zuppa.", "ru": "Доброе утро, папа.",
           "fi": "Hyvää päivää, missä.", "ca": "Bon dia, senyor."}  # fmt: skip


@pytest.mark.parametrize("language", FOREIGN)
def test_festival_speaks_other_languages(installed, language):
    known = [v for v in installed if v.startswith("festival:") and voices.language_of(v) == language]
    if not known:
        pytest.skip(f"no voice of festival for {language}")
    speech = voices.synthesize(FOREIGN[language], known[0])
    starts = [p.start_s for p in speech.phonemes]
    assert starts == sorted(starts)
    assert starts[-1] < speech.duration_s < 5
    classes, _ = class_track(speech.phonemes, speech.duration_s, np.arange(0, speech.duration_s, 0.01))
    assert len(set(classes.tolist())) > 6

import importlib.util
import itertools

import numpy as np
import pytest

from locutor.actors.generators import GENERATORS
from locutor.actors.mouth_shapes import MARKS, shapes_of
from locutor.actors.performance_script import Line, lines_of, recite
from locutor.actors.sentences import PAGES
from locutor.speech.phonemes import SpeechError
from locutor.speech.voices import LANGUAGES, synthesize


@pytest.fixture(scope="module")
def phonemes_of_pages() -> dict[str, set[str]]:
    """What espeak-ng makes of each page, and of fifty English sentences."""
    texts = {language: " ".join(page) for language, page in PAGES.items()}
    texts |= {x: " ".join(line.text for line in _texts(x, 50, 1)) for x in ("en-us", "en-gb")}
    return {x: {p.symbol for p in synthesize(text, x, 300).phonemes} for x, text in texts.items()}


pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("espeakng_loader") is None, reason="needs the extra tts (espeakng-loader)"
)


def test_same_seed_same_sound_another_seed_another_order():
    first, again, other = recite(14.0, "en-us", 1), recite(14.0, "en-us", 1), recite(14.0, "en-us", 2)
    assert first.samples.tobytes() == again.samples.tobytes()
    assert [s.line for s in first.spoken] != [s.line for s in other.spoken]


def test_length_is_exact_and_pauses_are_quiet():
    recital = recite(14.0, "en-us", 1)
    assert len(recital.samples) == 14 * recital.sample_rate
    for before, after in zip(recital.spoken, recital.spoken[1:], strict=False):
        assert after.start_s - before.end_s > 0.55
        pause = recital.samples[round(before.end_s * 22050) : round(after.start_s * 22050)]
        assert np.abs(pause).max() < 0.01
    assert recital.spoken[-1].end_s <= 14
    assert 0.3 < np.abs(recital.samples).max() <= 1


def test_phonemes_are_on_the_clock_of_the_sound():
    recital = recite(14.0, "en-us", 1)
    for spoken in recital.spoken:
        assert spoken.start_s <= spoken.phonemes[0].start_s
        assert spoken.phonemes[-1].start_s <= spoken.end_s


def test_the_performance_ends_with_the_lines():
    recital = recite(20.0, "en-us", 1, [Line("One."), Line("Two.")])
    assert [s.line.text for s in recital.spoken] == ["One.", "Two."]
    assert len(recital.samples) == 20 * recital.sample_rate


def test_effort_raises_pitch_loudness_and_opening():
    levels = []
    for effort in (0.8, 1.6):
        recital = recite(20.0, "en-us", 1, [Line("Oh, far away.", effort)] * 6)
        rate = recital.sample_rate
        loudness = [np.std(recital.samples[round(s.start_s * rate) : round(s.end_s * rate)]) for s in recital.spoken]
        openings = [s.opening for s in recital.spoken]
        assert np.std(openings) > 0.01 * effort  # the hidden part
        assert abs(np.corrcoef(loudness, openings)[0, 1]) < 0.95
        levels.append((np.mean(loudness), np.mean(openings)))
    assert levels[1][0] > 1.5 * levels[0][0]
    assert levels[1][1] > 1.5 * levels[0][1]


def _texts(language: str, n: int, seed: int) -> list[Line]:
    return list(itertools.islice(lines_of(language, np.random.default_rng(seed)), n))


def test_english_does_not_repeat_itself():
    lines = _texts("en-us", 400, 3)
    assert len({line.text for line in lines}) > 395
    assert lines == _texts("en-us", 400, 3)
    assert lines[1:] != _texts("en-us", 400, 4)[1:]
    assert not any("{" in line.text for line in lines)


@pytest.mark.parametrize("language", [x for x in LANGUAGES if not x.startswith("en")])
def test_a_page_is_said_through_before_it_begins_again(language):
    page = PAGES[language]
    lines = _texts(language, 2 * len(page), 3)
    assert {line.text for line in lines[: len(page)]} == set(page)
    assert len(page) >= 10


def test_no_sentences_is_an_error():
    with pytest.raises(SpeechError, match="no sentences in 'xx'"):
        next(lines_of("xx", np.random.default_rng(0)))


@pytest.mark.parametrize("generator", GENERATORS.values(), ids=list(GENERATORS))
def test_every_sound_of_every_language_has_a_mouth_shape(generator, phonemes_of_pages):
    for language, symbols in phonemes_of_pages.items():
        assert len(symbols) > 20, language
        for symbol in symbols:
            assert shapes_of(symbol, generator.visemes) or set(symbol) <= MARKS, (language, symbol)

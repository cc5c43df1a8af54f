import numpy as np
import pytest

from locutor.actors.generators import GENERATORS
from locutor.actors.viseme_floor import error_rate, without_stress

VISEMES = GENERATORS["A"].visemes


def _sentences(words, n, seed):
    rng = np.random.default_rng(seed)
    return [[p for word in rng.choice(words, 4) for p in word] for _ in range(n)]


def test_more_context_reads_better_and_never_perfectly():
    words = ["pat", "bad", "man", "bib", "mat", "pam"]
    train, test = _sentences(words, 300, 0), _sentences(words, 40, 1)
    rates = [error_rate(train, test, VISEMES, order) for order in (1, 2, 3)]
    assert rates == sorted(rates, reverse=True)
    assert 0.02 < rates[2] < rates[0] - 0.1


def test_a_class_of_its_own_is_always_read():
    train, test = [list("awa")], [list("waw")]
    assert error_rate(train, test, VISEMES, 1) == 0


def test_homophemes_are_guessed_by_frequency():
    train = [list("papapaba")]
    assert error_rate(train, [list("baba")], VISEMES, 1) == pytest.approx(0.5)
    assert error_rate(train, [list("papa")], VISEMES, 1) == 0


def test_without_stress():
    assert without_stress(["", "ˈiː", "p", "ˌaʊ"]) == ["i", "p", "aʊ"]

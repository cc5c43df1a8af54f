"""How well phonemes can be read from lips at best: the floor under every lip reader of these performers.

A perfect reader knows the class of mouth shape of every sound and nothing else of it; which of the class's phonemes it
was it guesses by what is most probable in the language. A reader that does better than this floor reads something
that no real mouth shows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from locutor.actors.mouth_shapes import Viseme, shapes_of

Sentence = Sequence[str]
"""Phonemes without stress marks."""
EDGE = "#"
WEIGHTS = (0.01, 0.09, 0.9)
"""Of the probabilities by no, one and two phonemes before (interpolation after Jelinek and Mercer 1980)."""


def without_stress(symbols: Sequence[str]) -> list[str]:
    """A sentence's phonemes as the reader counts them: no pauses, no stress, no length."""
    plain = (symbol.strip("ˈˌ").replace("ː", "") for symbol in symbols)
    return [symbol for symbol in plain if symbol]


def viseme_names(symbol: str, visemes: Mapping[str, Viseme]) -> tuple[str, ...]:
    """What lips show of a phoneme: the names of its shapes in order."""
    return tuple(shape.name for shape in shapes_of(symbol, visemes))


def error_rate(train: Sequence[Sentence], test: Sequence[Sentence], visemes: Mapping[str, Viseme], order: int) -> float:
    """Part of the test's phonemes that the perfect viseme reader gets wrong.

    Args:
        train: text whose statistics the reader knows.
        test: text to read.
        visemes: the classes.
        order: 1, 2 or 3: how many phonemes a probability spans. The best whole sentence is found (Viterbi).
    """
    model = _Model(train, order)
    members: dict[tuple[str, ...], list[str]] = {}
    for phoneme in sorted({p for sentence in [*train, *test] for p in sentence}):
        members.setdefault(viseme_names(phoneme, visemes), []).append(phoneme)
    wrong = total = 0
    for sentence in test:
        guessed = _read([members[viseme_names(p, visemes)] for p in sentence], model)
        wrong += sum(a != b for a, b in zip(guessed, sentence, strict=True))
        total += len(sentence)
    return wrong / total


class _Model:
    """Interpolated n-gram probabilities of phonemes."""

    def __init__(self, sentences: Sequence[Sentence], order: int) -> None:
        self.order = order
        self._counts: list[Counter[tuple[str, ...]]] = [Counter() for _ in range(3)]
        self._contexts: list[Counter[tuple[str, ...]]] = [Counter() for _ in range(3)]
        for sentence in sentences:
            padded = [EDGE, EDGE, *sentence]
            for k in range(2, len(padded)):
                for n in range(order):
                    self._counts[n][tuple(padded[k - n : k + 1])] += 1
                    self._contexts[n][tuple(padded[k - n : k])] += 1

    def log_probability(self, before: tuple[str, str], phoneme: str) -> float:
        """Of a phoneme after two others."""
        probability = 1e-6
        for n in range(self.order):
            context = before[2 - n :]
            seen = self._contexts[n][context]
            if seen:
                probability += WEIGHTS[n] * self._counts[n][(*context, phoneme)] / seen
        return float(np.log(probability))


def _read(choices: Sequence[Sequence[str]], model: _Model) -> list[str]:
    """The most probable sentence with one phoneme out of each list; the state is the last two phonemes."""
    best: dict[tuple[str, str], tuple[float, list[str]]] = {(EDGE, EDGE): (0.0, [])}
    for options in choices:
        reached: dict[tuple[str, str], tuple[float, list[str]]] = {}
        for before, (score, path) in best.items():
            for phoneme in options:
                total = score + model.log_probability(before, phoneme)
                after = (before[1], phoneme)
                if after not in reached or total > reached[after][0]:
                    reached[after] = (total, [*path, phoneme])
        best = reached
    return max(best.values(), key=lambda item: item[0])[1]

"""Texts for the phonetic corpus: the performers' sentences, words of a dictionary, and made-up words of a language."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import numpy as np

from locutor.actors.performance_script import lines_of
from locutor.actors.sentences import PAGES

MORE_PAGES = {
    "fi": (
        "Tämän kaupungin ihmiset haluavat aina puhua säästä ja ruoasta.", "Huomenna ostamme leipää, juustoa ja kukkia.",
        "Isoäiti asuu kaukana vanhassa talossa meren lähellä.", "Kun sataa, lapset leikkivät sisällä ja lukevat.",
        "Vihreä pöytä, sininen yö ja punainen tuli.", "Mies, nainen, koira ja kissa lähtivät työhön bussilla.",
    ),
    "ca": (
        "La gent d'aquesta ciutat sempre vol parlar del temps i del menjar.", "Demà comprarem pa, formatge i flors.",
        "La meva àvia viu lluny, en una casa vella vora el mar.", "Quan plou els nens juguen a dins i llegeixen.",
        "El foc, l'aigua, la muntanya i el camí vermell.", "Bon dia, senyor, com esteu avui?",
    ),
    "hi": (
        "नमस्ते आप कैसे हैं", "मेरा भाई बाज़ार से फल और सब्ज़ी लाता है", "आज मौसम बहुत अच्छा है और पानी ठंडा है",
        "बच्चे घर के बाहर खेलते हैं", "हम कल सुबह पहाड़ पर जाएँगे", "वह पुरानी किताब मेज़ पर रखी थी",
    ),
    "mr": (
        "नमस्कार तुम्ही कसे आहात", "माझा भाऊ बाजारातून फळे आणतो", "आज हवामान खूप छान आहे",
        "मुले घराबाहेर खेळतात", "आम्ही उद्या सकाळी डोंगरावर जाऊ", "ते जुने पुस्तक टेबलावर होते",
    ),
    "te": (
        "నమస్కారం మీరు ఎలా ఉన్నారు", "మా అన్న బజారు నుండి పండ్లు తెస్తాడు", "ఈ రోజు వాతావరణం చాలా బాగుంది",
        "పిల్లలు ఇంటి బయట ఆడుతున్నారు", "మేము రేపు ఉదయం కొండ మీదకు వెళ్తాము", "ఆ పాత పుస్తకం బల్ల మీద ఉంది",
    ),
}  # fmt: skip
"""Languages of festival that performers do not speak, and Finnish."""
WHOLE_WORDS = ("hi", "mr", "te", "cmn")  # their letters are syllables: no words are made up


class Texts:
    """Endless text in any of the languages; the same seed gives the same text."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._english = _dictionary()
        self._words: dict[str, list[str]] = {}
        self._chains: dict[str, dict[str, list[str]]] = {}

    def paragraph(self, language: str, n_sentences: int) -> str:
        """Sentences with about ten words each."""
        return " ".join(self._sentence(language) for _ in range(n_sentences))

    def _sentence(self, language: str) -> str:
        rng = self._rng
        if language.startswith("en"):
            if rng.random() < 0.35:
                return next(itertools.islice(lines_of("en-us", np.random.default_rng(rng.integers(2**32))), 1, 2)).text
            chosen = [str(word) for word in rng.choice(self._english, rng.integers(4, 9))]
        else:
            page = PAGES.get(language) or MORE_PAGES[language]
            if rng.random() < 0.4 or language == "cmn":
                return str(rng.choice(page)) + ("" if language not in MORE_PAGES else ".")
            words = self._words.setdefault(language, re.findall(r"[^\W\d_]+", " ".join(page).lower(), re.UNICODE))
            if language in WHOLE_WORDS:
                words = self._words[language] = " ".join(page).split()
            made_up = 0.0 if language in WHOLE_WORDS else 0.5
            chosen = [
                self._made_up(language, words) if rng.random() < made_up else str(rng.choice(words))
                for _ in range(rng.integers(4, 10))
            ]
        return " ".join(chosen) + str(rng.choice([".", ".", ",", "?"])).replace(",", ", so.")

    def _made_up(self, language: str, words: list[str]) -> str:
        """A word whose pairs of letters follow one another as in the language."""
        if language not in self._chains:
            chain: dict[str, list[str]] = {}
            for word in (f"^^{word}$" for word in words):
                for k in range(len(word) - 2):
                    chain.setdefault(word[k : k + 2], []).append(word[k + 2])
            self._chains[language] = chain
        word = "^^"
        while len(word) < 12:
            letter = str(self._rng.choice(self._chains[language][word[-2:]]))
            if letter == "$":
                break
            word += letter
        return word[2:]


def _dictionary() -> list[str]:
    """Words of pocketsphinx's English dictionary (CMUdict)."""
    from pocketsphinx import get_model_path

    lines = Path(get_model_path(), "en-us/cmudict-en-us.dict").read_text(encoding="utf-8").splitlines()
    return sorted({line.split()[0] for line in lines if re.fullmatch(r"[a-z]{3,10}", line.split()[0])})

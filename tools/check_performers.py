"""What the synthetic performers' speech and lips are worth, in figures.

    .venv/bin/python tools/check_performers.py

1. Onsets: phonemes of the track against pocketsphinx's own alignment of the same sound, for each source of speech.
2. Floor: errors of a perfect viseme reader on the performers' own English.
3. Lips: how much generator B differs from A, beside how much seeds of A differ, and whether lips close and touch.

pocketsphinx (extra `bench`), flite and festival are used where they are installed.
"""

from __future__ import annotations

import itertools
import re

import numpy as np
import soxr

from locutor.actors.generators import GENERATORS, Generator
from locutor.actors.motion import mouth_motion
from locutor.actors.mouth_shapes import CONTROLS
from locutor.actors.performance_script import Recital, lines_of, recite
from locutor.actors.viseme_floor import error_rate, viseme_names, without_stress
from locutor.speech.phonemes import Phoneme, Speech
from locutor.speech.radio_phones import IPA_BY_PHONE
from locutor.speech.voices import installed_voices, synthesize

N_SENTENCES = 15
N_TRAIN, N_TEST = 300, 60
SEEDS = range(8)
FPS_FINE = 200
RATE_HZ = 16000
CLOSED, TOUCHES = set("pbm"), set("fv")


def main() -> None:
    _onsets()
    _floor()
    recital = recite(60.0, "espeak:en-us", 1)
    _generators(recital)
    for generator in GENERATORS.values():
        _closures(recital, generator)


def _texts(n: int, seed: int) -> list[str]:
    return [line.text for line in itertools.islice(lines_of("en-us", np.random.default_rng(seed)), n)]


def _onsets() -> None:
    try:
        from pocketsphinx import Decoder
    except ImportError:
        print("onsets: not measured, pip install 'locutor[bench]'")
        return
    voices = [v for v in installed_voices() if not v.startswith("espeak:")]
    print(f"onsets against pocketsphinx, {N_SENTENCES} sentences, ms: median, 90th percentile, bias, matched phonemes")
    for voice in ("espeak:en-us", "espeak:en-us+f2", "espeak:en-us+m3", *voices):
        differences: list[float] = []
        n_phonemes = 0
        for text in _texts(N_SENTENCES, 0):
            decoder = Decoder(samprate=RATE_HZ, loglevel="FATAL")  # a new one: a failed alignment spoils it
            speech = synthesize(text, voice)
            n_phonemes += sum(bool(p.symbol) for p in speech.phonemes)
            differences += _matched(speech, _aligned(decoder, speech, text))
        ms = 1000 * np.array(differences)
        spread = np.percentile(np.abs(ms), [50, 90])
        matched = 100 * len(ms) / n_phonemes
        print(f"  {voice:24s} {spread[0]:5.1f} {spread[1]:6.1f} {np.median(ms):+6.1f}  {len(ms)} ({matched:.0f} %)")


def _aligned(decoder, speech: Speech, text: str) -> list[Phoneme]:
    """Phonemes and onsets that pocketsphinx finds for a known text; none where it cannot align it."""
    samples = soxr.resample(speech.samples, speech.sample_rate, RATE_HZ)
    # pocketsphinx expects silence at both ends.
    pad_s = 0.25
    quiet = np.random.default_rng(0).normal(0, 3e-4, (2, int(pad_s * RATE_HZ)))
    pcm = (np.concatenate([quiet[0], samples, quiet[1]]).clip(-1, 1) * 32767).astype("<i2").tobytes()
    decoder.set_align_text(" ".join(re.findall(r"[a-z']+", text.lower())))
    try:
        _decode(decoder, pcm)
        if decoder.hyp() is None:
            return []
        decoder.set_alignment()
        _decode(decoder, pcm)  # again, for the phones; asking for a hypothesis now would crash
    except RuntimeError:  # no path through the words fits the sound
        return []
    found: list[Phoneme] = []
    alignment = decoder.get_alignment()
    for word in alignment:  # must be walked in place: its items die with it
        silent = word.name.startswith("<")
        for phone in word:
            symbol = IPA_BY_PHONE.get(phone.name.lower(), "")
            if symbol and not silent:
                found.append(Phoneme(symbol, phone.start / 100 - pad_s))
    return found


def _decode(decoder, pcm: bytes) -> None:
    decoder.start_utt()
    decoder.process_raw(pcm, full_utt=True)
    decoder.end_utt()


def _matched(speech: Speech, other: list[Phoneme]) -> list[float]:
    """Differences of the onsets of the phonemes that both have, s; found by the cheapest edit."""
    mine = [p for p in speech.phonemes if p.symbol]
    if not other:
        return []
    a, b = [_coarse(p.symbol) for p in mine], [_coarse(p.symbol) for p in other]
    cost = np.zeros((len(a) + 1, len(b) + 1))
    cost[:, 0], cost[0] = np.arange(len(a) + 1), np.arange(len(b) + 1)
    for i, j in itertools.product(range(len(a)), range(len(b))):
        cost[i + 1, j + 1] = min(cost[i, j] + 1.5 * (a[i] != b[j]), cost[i, j + 1] + 1, cost[i + 1, j] + 1)
    found, i, j = [], len(a), len(b)
    while i and j:
        if cost[i, j] == cost[i - 1, j - 1] + 1.5 * (a[i - 1] != b[j - 1]):
            i, j = i - 1, j - 1
            if a[i] == b[j]:
                found.append(mine[i].start_s - other[j].start_s)
        elif cost[i, j] == cost[i - 1, j] + 1:
            i -= 1
        else:
            j -= 1
    return found


def _coarse(symbol: str) -> str:
    """A sound as both ways of writing have it: vowels by their kind, consonants by their first letter."""
    letter = symbol.strip("ˈˌ")[0]
    return "V" if letter in "aeioɑæʌɔəɚɛɜɪᵻʊuɐɒ" else {"ɾ": "t", "ɫ": "l"}.get(letter, letter)


def _floor() -> None:
    texts = _texts(N_TRAIN + N_TEST, 7)
    spoken = [without_stress([p.symbol for p in synthesize(t, "espeak:en-us", 300).phonemes]) for t in texts]
    train, test = spoken[:N_TRAIN], spoken[N_TRAIN:]
    kinds = {p for sentence in spoken for p in sentence}
    print(
        f"errors of a perfect viseme reader, {N_TRAIN} sentences known, {N_TEST} read ({sum(map(len, test))} phonemes)"
    )
    for name, generator in GENERATORS.items():
        rates = [100 * error_rate(train, test, generator.visemes, order) for order in (1, 2, 3)]
        n_seen = len({viseme_names(p, generator.visemes) for p in kinds})
        print(
            f"  {name}: unigram {rates[0]:.1f} %, bigram {rates[1]:.1f} %, trigram {rates[2]:.1f} %"
            f" ({len(kinds)} phonemes look like {n_seen})"
        )


def _generators(recital: Recital) -> None:
    times_s = np.arange(0, len(recital.samples) / recital.sample_rate, 1 / 25)
    tracks = {
        name: [mouth_motion(recital, times_s, g, g.styles.draw(seed), seed) for seed in SEEDS]
        for name, g in GENERATORS.items()
    }

    def rms(x: np.ndarray, y: np.ndarray) -> float:
        return float(np.sqrt(np.mean((x - y) ** 2)))

    print(f"rms difference of the {len(CONTROLS)} mouth controls, {len(SEEDS)} seeds: least, mean, most")
    a, b = tracks["A"], tracks["B"]
    pairs = {
        "A, two seeds": [rms(x, y) for x, y in itertools.combinations(a, 2)],
        "B, two seeds": [rms(x, y) for x, y in itertools.combinations(b, 2)],
        "A against B": [rms(x, y) for x, y in itertools.product(a, b)],
    }
    for name, values in pairs.items():
        print(f"  {name}: {min(values):.4f} {np.mean(values):.4f} {max(values):.4f}")


def _closures(recital: Recital, generator: Generator) -> None:
    """Opening at p, b, m and roll of the lower lip at f, v: the best of the frames at the sound, lead taken off."""
    times_s = np.arange(0, len(recital.samples) / recital.sample_rate, 1 / FPS_FINE)
    jaw, close, roll = (CONTROLS.index(name) for name in ("jawOpen", "mouthClose", "mouthRollLower"))
    gaps, touches = [], []
    for seed in SEEDS:
        style = generator.styles.draw(seed)
        track = mouth_motion(recital, times_s, generator, style, seed)
        for spoken in recital.spoken:
            ends = [p.start_s for p in spoken.phonemes[1:]] + [spoken.end_s]
            for phoneme, end_s in zip(spoken.phonemes, ends, strict=True):
                during = slice(*(round((t - style.lead_s) * FPS_FINE) for t in (phoneme.start_s, end_s)))
                if phoneme.symbol in CLOSED:
                    gaps.append((track[during, jaw] - track[during, close]).min())
                if phoneme.symbol in TOUCHES:
                    touches.append(track[during, roll].max() / generator.visemes["f"].shape["mouthRollLower"])
    print(
        f"{generator.name}: opening of the jaw left at p b m:"
        f" median {np.median(gaps):.4f}, most {np.max(gaps):.4f} of {len(gaps)};"
        f" lip reached at f v: median {np.median(touches):.2f}, least {np.min(touches):.2f} of {len(touches)}"
    )


if __name__ == "__main__":
    main()

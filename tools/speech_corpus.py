"""Speech with known phonemes for training the phonetic encoder: synthesised, changed, and stored as log-mel.

    python tools/speech_corpus.py OUT.npz [--part train] [--seed 1] [--scale 1.0]

Needs flite, festival with the voices of `speech/festival_phones.py`, espeak-ng and pocketsphinx (for its dictionary).
Parts: train; voices (English voices from recordings that are never trained on); languages (Catalan, Swedish and the
Czech voices that are never trained on); espeak (variants never trained on).
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence

import numpy as np
import soxr
from jaxtyping import Float32
from numpy import ndarray
from scipy.signal import butter, fftconvolve, sosfilt

from corpus_texts import Texts
from locutor.actors.generators import GENERATORS
from locutor.actors.style import Style
from locutor.actors.visemes import gestures, mouth_track
from locutor.core.clock import SAMPLE_RATE
from locutor.media.logmel import HOP, LogMel
from locutor.speech.phonemes import Phoneme, SpeechError
from locutor.speech.phonetic_classes import class_track
from locutor.speech.voices import ESPEAK_VARIANTS, LANGUAGES, TEST_LANGUAGES, TEST_VARIANTS, language_of, synthesize

RECORDED = {
    "flite:rms": 60, "flite:slt": 50, "festival:ked_diphone": 50, "festival:cmu_us_slt_arctic_hts": 20,
    "festival:lp_diphone": 40, "festival:pc_diphone": 40, "festival:suo_fi_lj_diphone": 30,
    "festival:hy_fi_mv_diphone": 30, "festival:msu_ru_nsh_clunits": 40, "festival:czech_dita": 40,
    "festival:czech_machac": 40, "festival:hindi_NSK_diphone": 15, "festival:telugu_NSK_diphone": 15,
    "festival:marathi_NSK_diphone": 10,
}  # fmt: skip
"""Paragraphs of each training voice that comes from recordings."""
N_ESPEAK = 240
HELD_OUT = {
    "voices": ("flite:awb", "flite:kal16", "festival:kal_diphone"),
    "languages": ("festival:upc_ca_ona_hts", "festival:czech_krb", "festival:czech_ph", "espeak:sv", "espeak:cs+f2"),
    "espeak": tuple(f"espeak:{language}{v}" for language in ("en-us", "fr", "de", "es") for v in TEST_VARIANTS),
}
N_HELD_OUT = 6  # paragraphs of each voice
N_SENTENCES = 4
N_VARIANTS = 2
LEAD_S = 0.05  # of the lips; what real people's lips show against their sound
TAIL_S = 0.4


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out")
    parser.add_argument("--part", default="train", choices=["train", *HELD_OUT])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--scale", type=float, default=1.0, help="share of the paragraphs")
    arguments = parser.parse_args()
    rng = np.random.default_rng(arguments.seed)
    texts, started = Texts(rng), time.monotonic()
    clips: list[tuple[ndarray, ...]] = []
    voices = _training_voices(rng, arguments.scale) if arguments.part == "train" else list(HELD_OUT[arguments.part]) * 6
    for k, voice in enumerate(voices):
        clips += _paragraph(voice, texts, rng, N_VARIANTS if arguments.part == "train" else 0)
        if k % 50 == 49:
            hours = sum(len(clip[0]) for clip in clips) * HOP / SAMPLE_RATE / 3600
            print(f"{k + 1} of {len(voices)} paragraphs, {hours:.2f} h, {time.monotonic() - started:.0f} s", flush=True)
    mel, classes, voiced, controls = (np.concatenate(parts) for parts in zip(*clips, strict=True))
    ends = np.cumsum([len(clip[0]) for clip in clips])
    np.savez(arguments.out, mel=mel, classes=classes, voiced=voiced, controls=controls, ends=ends)
    print(f"{arguments.out}: {len(mel) / 360000:.2f} h, classes {np.bincount(classes, minlength=23) / len(classes)}")


def _training_voices(rng: np.random.Generator, scale: float) -> list[str]:
    found = [voice for voice, n in RECORDED.items() for _ in range(round(scale * n))]
    languages = [language for language in LANGUAGES if language not in TEST_LANGUAGES] + ["fi"]
    variants = [variant for variant in ESPEAK_VARIANTS if variant not in TEST_VARIANTS]
    found += [f"espeak:{rng.choice(languages)}{rng.choice(variants)}" for _ in range(round(scale * N_ESPEAK))]
    return [found[k] for k in rng.permutation(len(found))]


def _paragraph(voice: str, texts: Texts, rng: np.random.Generator, n_variants: int) -> list[tuple[ndarray, ...]]:
    """Log-mel, classes, voicing and mouth controls (all at 100 Hz) of one text, unchanged or in changed variants."""
    text = texts.paragraph(language_of(voice), N_SENTENCES)
    rate_wpm, pitch = int(rng.integers(130, 230)), float(rng.uniform(0.75, 1.4))
    changed = n_variants > 0
    try:
        speech = synthesize(text, voice, rate_wpm if changed else 165, pitch if changed else 1.0)
        sound = soxr.resample(speech.samples, speech.sample_rate, SAMPLE_RATE).astype(np.float32)
        factors = rng.uniform(0.86, 1.16, n_variants) if changed else [1.0]
        return [_labelled(sound, speech.phonemes, float(factor), rng, changed) for factor in factors]
    except SpeechError as error:
        print(f"left out, {voice}: {error}".splitlines()[0], flush=True)
        return []


def _labelled(
    sound: Float32[ndarray, " n"],
    phonemes: tuple[Phoneme, ...],
    factor: float,
    rng: np.random.Generator,
    changed: bool,
) -> tuple[ndarray, ...]:
    faster = soxr.resample(sound, factor * SAMPLE_RATE, SAMPLE_RATE).astype(np.float32)  # pitch and formants too
    moved = [Phoneme(p.symbol, p.start_s / factor) for p in phonemes]
    end_s = len(faster) / SAMPLE_RATE
    samples = np.concatenate([faster, np.zeros(round(TAIL_S * SAMPLE_RATE), np.float32)])
    return labelled_mel(_changed(samples, rng) if changed else samples, moved, end_s)


def labelled_mel(samples: Float32[ndarray, " n"], phonemes: Sequence[Phoneme], end_s: float) -> tuple[ndarray, ...]:
    """Log-mel, classes, voicing and a performer's mouth controls, all at 100 Hz."""
    mel = LogMel().whole(samples)
    times_s = np.arange(len(mel)) * HOP / SAMPLE_RATE
    classes, voiced = class_track(phonemes, end_s, times_s)
    shapes, generator = gestures(phonemes, end_s, GENERATORS["A"]), GENERATORS["A"]
    blocks = np.array_split(times_s, len(times_s) // 500 + 1)
    controls = np.concatenate([mouth_track(shapes, block, generator, Style(lead_s=LEAD_S)) for block in blocks])
    return mel.astype(np.float16), classes.astype(np.uint8), voiced, controls.astype(np.float16)


def _changed(samples: Float32[ndarray, " n"], rng: np.random.Generator) -> Float32[ndarray, " n"]:
    """The sound in another room, through another line: each change comes or does not come."""
    if rng.random() < 0.5:  # a room: exponentially decaying noise after the direct sound
        n_room = round(rng.uniform(0.05, 0.4) * SAMPLE_RATE)
        echo = rng.standard_normal(n_room) * np.exp(-6.9 * np.arange(n_room) / n_room)
        echo *= rng.uniform(0.05, 0.6) / np.sqrt((echo**2).sum())
        echo[0] = 1.0
        samples = fftconvolve(samples, echo)[: len(samples)].astype(np.float32)
    if rng.random() < 0.3:  # a telephone
        low, high = rng.uniform(80, 350), rng.uniform(3000, 6500)
        band = butter(4, (low, high), "bandpass", fs=SAMPLE_RATE, output="sos")
        samples = sosfilt(band, samples).astype(np.float32)
    peak = float(np.abs(samples).max()) + 1e-9
    if rng.random() < 0.15:  # overdriven
        samples = np.clip(samples, -rng.uniform(0.2, 0.6) * peak, rng.uniform(0.2, 0.6) * peak)
    if rng.random() < 0.2:  # companded to eight bits
        companded = np.sign(samples) * np.log1p(255 * np.abs(samples) / peak) / np.log(256)
        coarse = np.round(companded * 127) / 127
        samples = np.sign(coarse) * np.expm1(np.abs(coarse) * np.log(256)) / 255 * peak
    return (samples * (rng.uniform(0.1, 0.9) / peak)).astype(np.float32)


if __name__ == "__main__":
    main()

"""What a person's lips do on sounds that the person's footage does not hold: the second part of docs/speech.md.

    python tools/score_lips.py PERFORMANCE...

1. Other voices: correlation of the lip gap with that of a performer who says the same phonemes, for synthesised voices,
   by their sound and when their phonemes are told.
2. Silence: after two seconds of speech, digital zero, room noise, music without voice, breathing.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soxr
from jaxtyping import Float32
from numpy import ndarray

from locutor.actors.generators import GENERATORS
from locutor.actors.style import Style
from locutor.actors.visemes import gestures, mouth_track
from locutor.capture.performance import Performance
from locutor.core.clock import FPS, SAMPLE_RATE
from locutor.core.face import MOUTH_SLICE
from locutor.drive.idle_model import fit_idle
from locutor.drive.prior import generic_displacements
from locutor.drive.speak import SpeechDriver
from locutor.drive.voice import VoiceModel, lip_gap
from locutor.drive.voice_fit import fit_voice
from locutor.evaluate.metrics import correlation
from locutor.speech.phonemes import Speech
from locutor.speech.voices import synthesize
from mel_changes import breathing, music

ENGLISH = (
    "My brother bought five big apples at the market before the bus left. We should measure the whole beach, but"
    " perhaps the weather will be foggy. Bob and Maya move up the valley with a huge paper map."
)
TEXTS = {
    "espeak:en-us": ENGLISH,
    "flite:awb": ENGLISH,
    "festival:kal_diphone": ENGLISH,
    "espeak:fr+f2": "Bonjour, comment allez-vous ce matin ? Mon frère achète du pain et un peu de beurre. Une belle"
    " voiture rouge passe devant la maison. Le juge a vu huit jeunes chiens sous le pont.",
    "espeak:de+m3": "Guten Morgen, wie geht es Ihnen heute? Der Bäcker verkauft frische Brötchen am Marktplatz. Fünf"
    " junge Vögel flogen über den schönen Fluss. Meine Mutter möchte später Pflaumenkuchen backen.",
}
QUIET_S, SPEECH_S = 6, 2


def main() -> None:
    others = {voice: _spoken(voice, text) for voice, text in TEXTS.items()}
    for path in sys.argv[1:]:
        performance = Performance(Path(path))
        motion = performance.tracking.motion
        model = fit_voice(performance.sound, motion)
        driver = SpeechDriver(model, fit_idle(motion, performance.tracking.neutral))
        print(f"{Path(path).name}: style {float(model.style[0]):.2f}")
        for voice, (sound, true, speech) in others.items():
            gap = _gap(driver, sound)[: len(true)]
            told = driver.said(speech.phonemes, speech.duration_s, len(true))
            gap_told = lip_gap(told.require("face")[0][:, MOUTH_SLICE])
            own = _share(model, lip_gap(motion.face[:, MOUTH_SLICE]))
            share = _share(model, gap)
            print(
                f"  {voice}: r {correlation(true, gap):.3f}, told its phonemes {correlation(true, gap_told):.3f};"
                f" opening mean {share.mean():.2f}, p95 {np.percentile(share, 95):.2f}"
                f" (own {own.mean():.2f}, {np.percentile(own, 95):.2f})"
            )
        for name, quiet in _quiets():
            speech = performance.sound[: SPEECH_S * SAMPLE_RATE]
            share = _share(model, _gap(driver, np.concatenate([speech, quiet]).astype(np.float32)))
            after = share[SPEECH_S * FPS + FPS // 5 :]
            print(f"  silence, {name}: {100 * (after < 0.05).mean():.1f} % of frames below 5 %, most {after.max():.2f}")


def _spoken(voice: str, text: str) -> tuple[Float32[ndarray, " n"], Float32[ndarray, " T"], Speech]:
    """The sound, the lip gap of a performer who says it, and what is said."""
    speech = synthesize(text, voice)
    sound = soxr.resample(speech.samples, speech.sample_rate, SAMPLE_RATE)
    times_s = np.arange(len(sound) // (SAMPLE_RATE // FPS)) / FPS
    shapes, generator = gestures(speech.phonemes, speech.duration_s, GENERATORS["A"]), GENERATORS["A"]
    track = mouth_track(shapes, times_s, generator, Style(lead_s=0.05))
    gap = lip_gap(np.tensordot(track, generic_displacements(), axes=1))
    return (0.3 * sound / np.abs(sound).max()).astype(np.float32), gap, speech


def _gap(driver: SpeechDriver, sound: Float32[ndarray, " n"]) -> Float32[ndarray, " T"]:
    (face,) = driver.whole(sound).require("face")
    return lip_gap(face[:, MOUTH_SLICE])


def _share(model: VoiceModel, gap: Float32[ndarray, " T"]) -> Float32[ndarray, " T"]:
    low, high = model.gap_range
    return (gap - low) / (high - low)


def _quiets() -> Iterator[tuple[str, ndarray]]:
    rng = np.random.default_rng(77)
    n = QUIET_S * SAMPLE_RATE
    yield "digital zero", np.zeros(n)
    yield "room noise at -50 dB", rng.normal(0, 10**-2.5, n)
    yield "room noise at -35 dB", rng.normal(0, 10**-1.75, n)
    yield "plucked music", music(rng, 2)[0][:n]
    yield "bowed music", music(rng, 2)[1][:n]
    yield "breathing", 0.1 * breathing(rng)[:n]


if __name__ == "__main__":
    main()

"""What a person's lips do on real recordings of others, and in other languages: the third part of docs/speech.md.

    python tools/score_recordings.py PERFORMANCE... [--words WORDS.txt]

1. English recordings of LOCUTOR_MEDIA, phonemes by pocketsphinx (extra `bench`), as they are, with white noise 10 dB
   below, against lips moved by a third of the recording, and one of them in a meeting, an office and a cafe: of the
   closures p, b, m the share in which the lip gap is
   under 15 % of its range within 60 ms; of the open vowels the share in which it comes into the upper half.
2. Every recording of the folder, six languages of espeak-ng more, a child, and two songs: mean and 95th percentile of
   the lip gap where something is said, as parts of the range, against the person's own, and the greatest step between
   frames.
"""

from __future__ import annotations

import argparse
import itertools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile
import soxr
from jaxtyping import Float32
from numpy import ndarray

from align_speech import aligned, read_words
from locutor.capture.performance import Performance
from locutor.core.clock import FPS, SAMPLE_RATE
from locutor.core.errors import LocutorError
from locutor.core.face import MOUTH_SLICE
from locutor.drive.features import MouthFeatures, Sound
from locutor.drive.gate import MouthGate
from locutor.drive.voice import VoiceModel, lip_gap
from locutor.drive.voice_fit import fit_voice
from locutor.media.audio import read_audio
from locutor.speech.phonemes import Phoneme
from locutor.speech.voices import synthesize

ENGLISH = ("english_60s.wav", "acted_mark_*.wav", "noisy_audio_narrative.wav", "librivox_en_*.wav")
NOISY_OF, NOISY = "noisy_audio_narrative.wav", "noisy_*_snr_*.wav"
CLOSED, OPEN, NEAR_S = 0.15, 0.5, 0.06
LIPS_MEET, OPEN_VOWELS = ("p", "b", "m"), ("æ", "ɑː", "aɪ", "aʊ")
NOISE_DB = 10
WITHIN = 0.25  # of the person's own
SPOKEN = {
    "espeak:ru": "Доброе утро! Моя мама купила пять больших яблок на рынке, а потом пошла домой пешком.",
    "espeak:pl": "Dzień dobry! Moja mama kupiła pięć dużych jabłek na rynku, a potem poszła do domu.",
    "espeak:tr": "Günaydın! Annem pazardan beş büyük elma aldı, sonra yürüyerek eve gitti.",
    "espeak:sv": "God morgon! Min mamma köpte fem stora äpplen på torget och gick sedan hem.",
    "espeak:pt": "Bom dia! Minha mãe comprou cinco maçãs grandes no mercado e depois foi para casa.",
    "espeak:nl": "Goedemorgen! Mijn moeder kocht vijf grote appels op de markt en liep daarna naar huis.",
    "festival:czech_krb": "Dobré ráno! Maminka koupila na trhu pět velkých jablek a potom šla domů pěšky.",
}
"""Languages that the recordings lack; the last is a child."""
SONG = (("my", "G3", 0.5), ("bon", "C4", 1.0), ("nie", "E4", 1.0), ("lies", "D4", 1.0), ("o", "C4", 0.5),
        ("ver", "D4", 0.5), ("the", "E4", 0.5), ("o", "C4", 0.5), ("cean", "C4", 2.0))  # fmt: skip
"""Syllable, note, beats: sung by festival's kal, and a fourth higher with a smaller throat, as a child would."""
CHILDS = 4 / 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("performances", nargs="+", type=Path)
    parser.add_argument("--words", type=Path, help="as for align_speech.py")
    arguments = parser.parse_args()
    folder = Path(os.environ["LOCUTOR_MEDIA"], "audio")
    words = read_words(arguments.words) if arguments.words else {}
    english, in_noise = [], []
    for path in sorted(itertools.chain.from_iterable(folder.glob(pattern) for pattern in ENGLISH)):
        samples = read_audio(path)
        phonemes = aligned(samples, words.get(path.name))
        english.append((phonemes, Sound.hear(samples), Sound.hear(_noisy(samples))))
        if path.name == NOISY_OF:
            in_noise = [(noisy.stem, phonemes, Sound.hear(read_audio(noisy))) for noisy in sorted(folder.glob(NOISY))]
    others = [(name, Sound.hear(samples)) for name, samples in _others(folder)]
    for path in arguments.performances:
        performance = Performance(path)
        motion = performance.tracking.motion
        model = fit_voice(performance.sound, motion)
        print(path.name)
        counted = []
        for name, noisy, moved in (("as it is", 0, 0), (f"{NOISE_DB} dB of noise", 1, 0), ("moved", 0, 1)):
            closed, opened = [], []
            for phonemes, *sounds in english:
                share = _share(model, sounds[noisy])
                share = np.roll(share, moved * len(share) // 3)
                closed += [gap.min() < CLOSED for gap in _near(share, phonemes, LIPS_MEET, NEAR_S)]
                opened += [gap.max() > OPEN for gap in _near(share, phonemes, OPEN_VOWELS, 0.0)]
            counted = counted or list(closed)
            print(
                f"  English, {name}: {100 * np.mean(closed):.0f} % of {len(closed)} closures,"
                f" {100 * np.mean(opened):.0f} % of {len(opened)} open vowels"
            )
        for name, phonemes, sound in in_noise:
            closed = [gap.min() < CLOSED for gap in _near(_share(model, sound), phonemes, LIPS_MEET, NEAR_S)]
            counted += closed
            print(f"  {name}: {sum(closed)} of {len(closed)} closures")
        print(f"  as it is, with these: {100 * np.mean(counted):.0f} % of {len(counted)} closures")
        low, high = model.gap_range
        own = (lip_gap(motion.face[:, MOUTH_SLICE]) - low) / (high - low)
        offset = int(model.offset_frames[0])
        of_own = MouthFeatures(model.prior_mel).of_sound(Sound.hear(performance.sound), offset, len(own))
        own_said = own[of_own.is_speech]
        print(f"  own footage: {_opening(own_said)}, pauses too {_opening(own)}, {_step(own)}")
        found = []
        for name, sound in others:
            heard = MouthFeatures(model.prior_mel).of_sound(sound, 0, len(sound.mel) // 4)
            share = _share(model, sound)
            said = share[heard.is_speech]
            found.append(_mean_and_p95(said))
            by_mean, by_p95 = 100 * (found[-1] / _mean_and_p95(own_said) - 1)
            print(f"  {name}: {_opening(said)} ({by_mean:+.0f}, {by_p95:+.0f} %), {_step(share)}")
        for name, of in (("where something is said", own_said), ("pauses too", own)):
            within = np.abs(np.array(found) / _mean_and_p95(of) - 1) <= WITHIN
            of_mean, of_p95 = within.sum(axis=0)
            counts = f"mean {of_mean}, p95 {of_p95}, both {within.all(axis=1).sum()} of {len(within)}"
            print(f"  within {100 * WITHIN:.0f} % of own, {name}: {counts}")


def _mean_and_p95(share: Float32[ndarray, " T"]) -> Float32[ndarray, " 2"]:
    return np.array([share.mean(), np.percentile(share, 95)], np.float32)


def _opening(share: Float32[ndarray, " T"]) -> str:
    return "mean {:.2f}, p95 {:.2f}".format(*_mean_and_p95(share))


def _step(share: Float32[ndarray, " T"]) -> str:
    return f"greatest step {np.abs(np.diff(share)).max():.2f}"


def _others(folder: Path) -> Iterator[tuple[str, Float32[ndarray, " n"]]]:
    for path in sorted(folder.iterdir()):
        yield path.name, read_audio(path)
    for voice, text in SPOKEN.items():
        try:
            speech = synthesize(text, voice)
        except LocutorError as error:
            print(f"left out: {error}".splitlines()[0])
            continue
        sound = soxr.resample(speech.samples, speech.sample_rate, SAMPLE_RATE).astype(np.float32)
        yield voice, 0.3 * sound / np.abs(sound).max()
    if shutil.which("text2wave"):
        song, rate = sung()
        for name, factor in (("sung", 1.0), ("sung by a child", CHILDS)):
            sound = soxr.resample(song, factor * rate, SAMPLE_RATE).astype(np.float32)
            yield name, 0.3 * sound / np.abs(sound).max()


def sung() -> tuple[Float32[ndarray, " n"], int]:
    """A line of a song in festival's singing mode, and its sample rate."""
    notes = "".join(
        f'<PITCH NOTE="{note}"><DURATION BEATS="{beats}">{syllable}</DURATION></PITCH>\n'
        for syllable, note, beats in SONG
    )
    head = (
        '<?xml version="1.0"?>\n<!DOCTYPE SINGING PUBLIC "-//SINGING//DTD SINGING mark up//EN" "Singing.v0_1.dtd" []>'
    )
    with tempfile.TemporaryDirectory() as folder:
        score, wave = Path(folder, "song.xml"), Path(folder, "song.wav")
        score.write_text(f'{head}\n<SINGING BPM="90">\n{notes}</SINGING>\n')
        subprocess.run(["text2wave", "-mode", "singing", str(score), "-o", str(wave)], check=True, capture_output=True)
        return soundfile.read(wave, dtype="float32")


def _noisy(samples: Float32[ndarray, " n"]) -> Float32[ndarray, " n"]:
    level = float(np.sqrt(np.square(samples).mean())) * 10 ** (-NOISE_DB / 20)
    return (samples + np.random.default_rng(0).normal(0, level, len(samples))).astype(np.float32)


def _share(model: VoiceModel, sound: Sound) -> Float32[ndarray, " T"]:
    """Lip gap of what is shown, as a part of its range."""
    heard = MouthFeatures(model.prior_mel).of_sound(sound, 0, len(sound.mel) // 4)
    gate = MouthGate(model.closed_mouth)
    low, high = model.gap_range
    return (lip_gap(gate.step(gate.init(), model.predict(heard), heard.is_speech)[1]) - low) / (high - low)


def _near(
    share: Float32[ndarray, " T"], phonemes: list[Phoneme], wanted: tuple[str, ...], near_s: float
) -> Iterator[Float32[ndarray, " t"]]:
    """The frames during each of the wanted phonemes and shortly around it."""
    for phoneme, following in itertools.pairwise(phonemes):
        if phoneme.symbol in wanted:
            first, last = round((phoneme.start_s - near_s) * FPS), round((following.start_s + near_s) * FPS)
            if len(frames := share[max(0, first) : last + 1]):
                yield frames


if __name__ == "__main__":
    main()

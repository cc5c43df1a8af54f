"""Phonemes of real English recordings with their times, by pocketsphinx: it writes down what it hears and aligns that.

    python tools/align_speech.py OUT.npz RECORDING...

Writes a corpus in the form of `speech_corpus.py`: one clip for each recording, as it is.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from jaxtyping import Float32
from numpy import ndarray
from pocketsphinx import Decoder

from locutor.core.clock import SAMPLE_RATE
from locutor.media.audio import read_audio
from locutor.speech.phonemes import Phoneme
from locutor.speech.radio_phones import IPA_BY_PHONE
from speech_corpus import labelled_mel

PIECE_S = 9.0


def main() -> None:
    clips = []
    for path in sys.argv[2:]:
        samples = read_audio(Path(path))
        phonemes = aligned(samples)
        clips.append(labelled_mel(samples, phonemes, len(samples) / SAMPLE_RATE))
        print(
            f"{Path(path).name}: {len(samples) / SAMPLE_RATE:.1f} s, {sum(bool(p.symbol) for p in phonemes)} phonemes"
        )
    mel, classes, voiced, controls = (np.concatenate(parts) for parts in zip(*clips, strict=True))
    np.savez(
        sys.argv[1],
        mel=mel,
        classes=classes,
        voiced=voiced,
        controls=controls,
        ends=np.cumsum([len(c[0]) for c in clips]),
    )


def aligned(samples: Float32[ndarray, " n"]) -> list[Phoneme]:
    """Phonemes that pocketsphinx finds, pauses too; a stretch that it cannot read counts as a pause."""
    found: list[Phoneme] = []
    for start, end in _pieces(samples):
        found += _aligned_piece(samples[start:end], start / SAMPLE_RATE) or [Phoneme("", start / SAMPLE_RATE)]
    return found


def _pieces(samples: Float32[ndarray, " n"]) -> list[tuple[int, int]]:
    """Cut at the quietest tenth of a second near the end of each piece."""
    block = SAMPLE_RATE // 10
    level = np.array([float(np.square(samples[k : k + block]).mean()) for k in range(0, len(samples), block)])
    cuts, at = [0], 0
    while len(level) - at > PIECE_S * 10 * 1.3:
        low, high = at + round(PIECE_S * 6), at + round(PIECE_S * 12)
        at = low + int(np.argmin(level[low:high]))
        cuts.append(at * block)
    return list(zip(cuts, [*cuts[1:], len(samples)], strict=True))


def _aligned_piece(samples: Float32[ndarray, " n"], offset_s: float) -> list[Phoneme]:
    pad = np.random.default_rng(0).normal(0, 3e-4, SAMPLE_RATE // 4)  # pocketsphinx expects silence at both ends
    gain = 0.5 / max(float(np.abs(samples).max()), 1e-3)
    pcm = (np.concatenate([pad, gain * samples, pad]).clip(-1, 1) * 32767).astype("<i2").tobytes()
    decoder = Decoder(samprate=SAMPLE_RATE, loglevel="FATAL")
    try:
        _decode(decoder, pcm)
        if decoder.hyp() is None:
            return []
        decoder.set_alignment()
        _decode(decoder, pcm)
    except RuntimeError:  # no path through the words fits the sound
        return []
    found: list[Phoneme] = []
    for word in decoder.get_alignment():  # must be walked in place: its items die with it
        silent = word.name.startswith(("<", "["))
        for phone in word:
            symbol = "" if silent else IPA_BY_PHONE.get(phone.name.lower(), "")
            found.append(Phoneme(symbol, max(0.0, offset_s + phone.start / 100 - 0.25)))
    return found


def _decode(decoder: Decoder, pcm: bytes) -> None:
    decoder.start_utt()
    decoder.process_raw(pcm, full_utt=True)
    decoder.end_utt()


if __name__ == "__main__":
    main()

"""How well the phonetic encoder reads: synthesised corpora, real recordings, its speed and size.

    python tools/score_encoder.py CORPUS.npz...

Corpora are those of `speech_corpus.py` and `align_speech.py`. Accuracy is of frames in which something is said; chance
is the commonest viseme, and the same corpus with its labels moved by half its length.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
import torch

from locutor.speech import encoder
from locutor.speech.encoder import PhoneticEncoder
from locutor.speech.level import Leveller
from locutor.speech.phonetic_classes import VISEMES, viseme_of_class
from locutor.speech.phonetic_network import STRIDE
from train_encoder import Corpus


def main() -> None:
    torch.set_num_threads(1)
    network, prior_mel = encoder._load()
    n_parameters = sum(p.numel() for p in network.parameters())
    print(f"{n_parameters} parameters, {encoder.WEIGHTS.stat().st_size / 1e6:.2f} MB, {_speed():.0f} x real time")
    print("corpus: classes, visemes, visemes with silence, commonest viseme, labels moved, voicing, jaw r")
    for path in sys.argv[1:]:
        corpus = Corpus([path])
        heard, said, voiced, jaw = [], [], [], []
        for start, end in zip([0, *corpus.ends[:-1]], corpus.ends, strict=True):
            leveller = Leveller(prior_mel)
            mel = leveller.step(leveller.init(), corpus.mel[start:end].astype(np.float32))[1]
            with torch.no_grad():
                _, out = network(network.init(), torch.from_numpy(mel)[None])
            n = out.logits.shape[1]
            heard.append(out.logits[0].argmax(1).numpy())
            said.append(corpus.classes[start:end:STRIDE][:n])
            voiced.append((out.voicing[0].numpy() > 0) == corpus.voiced[start:end:STRIDE][:n])
            jaw.append(np.stack([out.controls[0, :, 0].numpy(), corpus.controls[start:end:STRIDE][:n, 0]]))
        r = np.corrcoef(np.concatenate(jaw, axis=1))[0, 1]
        figures = _figures(np.concatenate(heard), np.concatenate(said))
        print(f"{Path(path).stem}: {figures}, {np.concatenate(voiced).mean():.3f}, {r:.3f}")
        _confusions(np.concatenate(heard), np.concatenate(said))


def _figures(heard: np.ndarray, said: np.ndarray) -> str:
    table, talk = viseme_of_class(), said != 0
    visemes, true = table[heard], table[said]
    moved = np.roll(true, len(true) // 2)
    figures = (
        (heard == said)[talk].mean(),
        (visemes == true)[talk].mean(),
        (visemes == true).mean(),
        np.bincount(true[talk]).max() / talk.sum(),
        (visemes == moved)[moved != 0].mean(),
    )
    return ", ".join(f"{figure:.3f}" for figure in figures)


def _confusions(heard: np.ndarray, said: np.ndarray) -> None:
    table = viseme_of_class()
    for k, (name, _) in enumerate(VISEMES):
        of = table[said] == k
        if of.any():
            print(f"    {name}: {(table[heard] == k)[of].mean():.2f} of {of.sum()}")


def _speed() -> float:
    """Seconds of sound per second of CPU, in chunks of 200 ms."""
    sound = 0.1 * np.random.default_rng(0).standard_normal(16_000 * 20).astype(np.float32)
    model = PhoneticEncoder()
    state, started = model.init(), time.process_time()
    for start in range(0, len(sound), 3200):
        state, _ = model.step(state, sound[start : start + 3200])
    return 20 / (time.process_time() - started)


if __name__ == "__main__":
    main()

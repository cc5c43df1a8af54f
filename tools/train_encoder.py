"""Train the phonetic encoder on corpora of `speech_corpus.py`; the same seed and corpora give the same weights.

    python tools/train_encoder.py OUT.safetensors --train A.npz B.npz --test C.npz D.npz [--steps 6000]

Each step takes 16 pieces of 4 s, changed anew: formants, speed, colour, loudness, noise, music, other voices, bands.
"""

from __future__ import annotations

import argparse
import copy
import math
import time
from pathlib import Path

import numpy as np
import safetensors.torch
import torch
from jaxtyping import Float32
from numpy import ndarray
from torch.nn import functional

from locutor.speech.level import Leveller, speech_mean
from locutor.speech.phonetic_classes import viseme_of_class
from locutor.speech.phonetic_network import MELS_AHEAD, STRIDE, PhoneticNetwork
from mel_changes import Changes

N_BATCH, N_MELS_PIECE = 16, 400
WARM_UP = 100
CONTROL_WEIGHT, VOICING_WEIGHT, SMOOTHING = 1.5, 0.3, 0.05
SKIP = 15  # frames at a piece's beginning that are not learnt from: their past is missing
SAVE_EVERY = 200
MEMORY = 0.998  # steps that the kept weights are a mean of: about 500


class Corpus:
    """Corpora end to end; pieces may run over the edge of two clips, as speech does from one sentence to the next."""

    def __init__(self, paths: list[str]) -> None:
        parts = [np.load(path) for path in paths]
        self.mel, self.classes, self.voiced, self.controls = (
            np.concatenate([part[name] for part in parts]) for name in ("mel", "classes", "voiced", "controls")
        )
        self.ends = np.cumsum(np.concatenate([np.diff(part["ends"], prepend=0) for part in parts]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--train", nargs="+", required=True)
    parser.add_argument("--real", help="recordings with phonemes from an aligner, heard in a twentieth of the pieces")
    parser.add_argument("--test", nargs="*", default=[])
    parser.add_argument("--steps", type=int, default=6000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rate", type=float, default=2.5e-3, help="greatest learning rate")
    parser.add_argument("--wordless", type=float, default=0.06, help="share of pieces in which nothing is said")
    parser.add_argument("--tunes", type=int, default=4, help="how many tunes there are to hear")
    parser.add_argument("--start", type=Path, help="weights to go on from")
    arguments = parser.parse_args()
    torch.manual_seed(arguments.seed)
    torch.set_num_threads(1)
    rng = np.random.default_rng(arguments.seed)
    corpus, tests = Corpus(arguments.train), [(Path(path).stem, Corpus([path])) for path in arguments.test]
    prior_mel = speech_mean(corpus.mel[:: len(corpus.mel) // 400_000 + 1].astype(np.float32))
    real = Corpus([arguments.real]) if arguments.real else None
    changes = Changes(rng, corpus.mel, real, arguments.wordless, arguments.tunes)
    network = PhoneticNetwork()
    if arguments.start:
        known = safetensors.torch.load_file(arguments.start)
        prior_mel = known.pop("prior_mel").numpy()
        network.load_state_dict({name: tensor.float() for name, tensor in known.items()})
    scale = torch.from_numpy(corpus.controls[::50].astype(np.float32).std(axis=0) + 0.02)
    optimiser = torch.optim.AdamW(network.parameters(), arguments.rate, weight_decay=1e-2)
    n_parameters = sum(p.numel() for p in network.parameters())
    print(f"{n_parameters} parameters, {len(corpus.mel) / 360_000:.2f} h", flush=True)
    mean = copy.deepcopy(network)  # what is kept
    started, mean_loss = time.process_time(), 0.0
    for step in range(1, arguments.steps + 1):
        for group in optimiser.param_groups:
            group["lr"] = arguments.rate * min(1, step / WARM_UP) * (0.01 + 0.99 * _cosine(step / arguments.steps))
        loss = _loss(network, _batch(changes, corpus, Leveller(prior_mel)), scale)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 2.0)
        optimiser.step()
        _follow(mean, network, min(MEMORY, step / (step + 10)))
        mean_loss += (loss.item() - mean_loss) * max(0.01, 1 / step)
        if step % 100 == 0:
            print(f"{step}: loss {mean_loss:.3f}, {time.process_time() - started:.0f} s", flush=True)
        if step % SAVE_EVERY == 0 or step == arguments.steps:
            _save(arguments.out, mean, prior_mel)
            for name, test in tests:
                print("  ", name, _score(mean, test, prior_mel), flush=True)


def _follow(mean: PhoneticNetwork, network: PhoneticNetwork, memory: float) -> None:
    """A running mean of the weights: it reads better than any step's own."""
    with torch.no_grad():
        for slow, fast in zip(mean.parameters(), network.parameters(), strict=True):
            slow.lerp_(fast, 1 - memory)


def _cosine(progress: float) -> float:
    return 0.5 * (1 + math.cos(math.pi * progress))


def _batch(changes: Changes, corpus: Corpus, leveller: Leveller) -> list[torch.Tensor]:
    pieces = [changes.piece(corpus, N_MELS_PIECE) for _ in range(N_BATCH)]
    mel = np.stack([leveller.step(leveller.init(), piece[0])[1] for piece in pieces])
    labels = [np.stack([piece[k][::STRIDE] for piece in pieces]) for k in (1, 2, 3)]
    return [torch.from_numpy(array) for array in (mel, *labels)]


def _loss(network: PhoneticNetwork, batch: list[torch.Tensor], scale: torch.Tensor) -> torch.Tensor:
    mel, classes, voiced, controls = batch
    _, out = network(network.init(len(mel)), mel)
    part = slice(SKIP, out.logits.shape[1])
    error = ((out.controls[:, part] - controls[:, part]) / scale) ** 2
    binary = functional.binary_cross_entropy_with_logits
    return (
        functional.cross_entropy(
            out.logits[:, part].flatten(0, 1), classes[:, part].flatten().long(), label_smoothing=SMOOTHING
        )
        + CONTROL_WEIGHT * error.mean()
        + VOICING_WEIGHT * binary(out.voicing[:, part], voiced[:, part].to(torch.float32))
        + VOICING_WEIGHT * binary(out.speech[:, part], _soon(classes)[:, part])
    )


def _soon(classes: torch.Tensor) -> torch.Tensor:
    """Whether something is said in this frame or within the network's look-ahead."""
    said = functional.pad((classes != 0).to(torch.float32), (0, MELS_AHEAD // STRIDE))
    return said.unfold(1, MELS_AHEAD // STRIDE + 1, 1).amax(dim=2)


def _save(path: Path, network: PhoneticNetwork, prior_mel: Float32[ndarray, " 80"]) -> None:
    tensors = {name: tensor.to(torch.float16) for name, tensor in network.state_dict().items()}
    safetensors.torch.save_file(tensors | {"prior_mel": torch.from_numpy(prior_mel)}, path)


def _score(network: PhoneticNetwork, corpus: Corpus, prior_mel: Float32[ndarray, " 80"]) -> str:
    """Frame accuracy where something is said, of classes and of visemes, and correlation of two controls."""
    leveller, table = Leveller(prior_mel), viseme_of_class()
    right, alike, opening = [], [], []
    with torch.no_grad():
        for start, end in zip([0, *corpus.ends[:-1]], corpus.ends, strict=True):
            mel = corpus.mel[start:end].astype(np.float32)
            _, out = network(network.init(), torch.from_numpy(leveller.step(leveller.init(), mel)[1])[None])
            heard = out.logits[0].argmax(dim=1).numpy()
            true = corpus.classes[start:end:STRIDE][: len(heard)]
            said = true != 0
            right.append((heard == true)[said])
            alike.append((table[heard] == table[true])[said])
            controls = corpus.controls[start:end:STRIDE][: len(heard)].astype(np.float32)
            opening.append(np.stack([out.controls[0, :, 0].numpy(), controls[:, 0]]))
    r = np.corrcoef(np.concatenate(opening, axis=1))[0, 1]
    return f"classes {np.concatenate(right).mean():.3f}, visemes {np.concatenate(alike).mean():.3f}, jaw r {r:.3f}"


if __name__ == "__main__":
    main()

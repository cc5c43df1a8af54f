"""How well lips follow sound on captured performances of real people: the tables of docs/speech.md.

    python tools/score_voice.py PERFORMANCE...

For each: blocked five-fold over the whole, and models of 20 s and of 10 s of it judged on the rest, a second kept out
between; with phonetic frames and log-mel, and with log-mel alone; and what a generic performer's mouth does without any
footage of the person. Correlation with the tracked lips, head pose regressed out. Chance: all rolls of the sound by a
second or more. And, of the first, closures, timing and the like as `locutor eval` counts them.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float32
from numpy import ndarray

from locutor.capture.performance import Performance
from locutor.core.clock import FPS
from locutor.core.face import FACE_POINTS
from locutor.drive.gate import MouthGate
from locutor.drive.prior import generic_mouth
from locutor.drive.voice import lip_gap
from locutor.drive.voice_fit import Footage, VoiceConfig, fit_footage, held_out
from locutor.evaluate.lips import lips_of
from locutor.evaluate.metrics import best_lag, correlation, roll_correlations
from locutor.evaluate.voice_folds import score_lips

CONFIG = VoiceConfig()
MEL_ALONE = dataclasses.replace(CONFIG, phonetic_kernel=0.0, phonetic_linear=0.0, generic_share=0.0)
N_SHORT, GAP = 5, FPS


def main() -> None:
    for path in sys.argv[1:]:
        performance = Performance(Path(path))
        footage = Footage.prepare(performance.sound, performance.tracking.motion, CONFIG)
        print(f"{Path(path).name}: {len(footage.mouth) / FPS:.0f} s, sound late by {footage.offset} frames")
        for name, config in (("phonetic and mel", CONFIG), ("mel alone", MEL_ALONE)):
            predicted, true = held_out(footage, config)
            print(f"  {name}: {_figures(predicted, true)}")
            print(f"    rolls {_rolls(predicted, true)}, best lag {best_lag(lip_gap(true), lip_gap(predicted))}")
            print(f"    of 20 s {_short(footage, config, 20)}, of 10 s {_short(footage, config, 10)}")
            if config is CONFIG:
                print(f"    after the gate {correlation(lip_gap(true), lip_gap(_gated(footage, predicted))):.3f}")
                print(_lips(predicted, true, performance.sound))
        true = footage.mouth_without_pose(footage.valid)
        generic = generic_mouth(footage.heard(footage.speech_mean(footage.valid)))
        print(f"  no footage: {_figures(generic, true)}, rolls {_rolls(generic, true)}")
        print(f"    best lag {best_lag(lip_gap(true), lip_gap(generic))}", flush=True)


def _measures(mouth: Float32[ndarray, "T 58 2"]) -> dict[str, ndarray]:
    at = {point: mouth[:, FACE_POINTS.index(point)] for point in (61, 291, 152, 0, 17)}
    return {
        "gap": lip_gap(mouth),
        "width": at[291][:, 0] - at[61][:, 0],
        "jaw": at[152][:, 1],
        "outer height": at[17][:, 1] - at[0][:, 1],
    }


def _figures(predicted: Float32[ndarray, "T 58 2"], true: Float32[ndarray, "T 58 2"]) -> str:
    a, b = _measures(predicted), _measures(true)
    return ", ".join(f"{name} {correlation(b[name], a[name]):.3f}" for name in a)


def _lips(
    predicted: Float32[ndarray, "T 58 2"], true: Float32[ndarray, "T 58 2"], sound: Float32[ndarray, " n"]
) -> str:
    """What `evaluate` says of these lips, with 95 % intervals, beside chance: the mean over 40 rolls."""
    truth = lips_of(true)
    score = score_lips(truth, lips_of(predicted, truth.limits), sound)
    lines = []
    for name, voice in score.voice.items():
        chance = score.chance[name]
        lines.append(
            f"    {name}: {voice.value:.3f} [{voice.low:.3f}, {voice.high:.3f}] of {voice.n}"
            f" / {chance.value:.3f} [{chance.low:.3f}, {chance.high:.3f}]"
        )
    return "\n".join(lines)


def _rolls(predicted: Float32[ndarray, "T 58 2"], true: Float32[ndarray, "T 58 2"]) -> str:
    rolls = roll_correlations(lip_gap(true), lip_gap(predicted), FPS)
    return f"{rolls.mean():+.3f} (95 % below {np.percentile(rolls, 95):.3f})"


def _short(footage: Footage, config: VoiceConfig, seconds: int) -> str:
    """Mean correlation of the lip gap over blocks at the beginning, the end and between; and the least."""
    found = []
    for train, test in _blocks(len(footage.mouth), seconds * FPS):
        model = fit_footage(footage, train & footage.valid, config)
        predicted = model.predict(footage.heard(model.prior_mel)[test])
        true = footage.mouth_without_pose(train & footage.valid)[test]
        found.append(correlation(lip_gap(true), lip_gap(predicted)))
    return f"{np.mean(found):.3f} (least {min(found):.3f})" if found else "-"


def _blocks(n_frames: int, n_train: int) -> Iterator[tuple[Bool[ndarray, " T"], Bool[ndarray, " T"]]]:
    if n_frames < n_train + 4 * GAP:
        return
    frames = np.arange(n_frames)
    for first in np.linspace(0, n_frames - n_train, N_SHORT).astype(int):
        end = first + n_train
        yield (frames >= first) & (frames < end), (frames < first - GAP) | (frames >= end + GAP)


def _gated(footage: Footage, mouth: Float32[ndarray, "T 58 2"]) -> Float32[ndarray, "T 58 2"]:
    gate = MouthGate(fit_footage(footage, footage.valid, CONFIG).closed_mouth)
    is_speech = footage.heard(footage.speech_mean(footage.valid)).is_speech
    return gate.step(gate.init(), mouth, is_speech)[1]


if __name__ == "__main__":
    main()

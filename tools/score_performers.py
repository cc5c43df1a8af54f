"""Lips of performers whose law of lips the encoder was not trained on (generator B): one line of docs/speech.md.

    LOCUTOR_MODELS=... python tools/score_performers.py [--seeds 4] [--seconds 60]

For each performer: what the rig's lips truly do while a minute is spoken, learnt from and predicted five-fold as in
`score_voice.py`, from the sound alone. No video is drawn: the truth is the rig's, without a tracker's noise.
"""

from __future__ import annotations

import argparse

import numpy as np
import soxr
from jaxtyping import Float32
from numpy import ndarray

from locutor.actors.generators import GENERATORS
from locutor.actors.ict_rig import find_ict_folder, load_rig
from locutor.actors.landmark_table import landmark_table
from locutor.actors.make_performer import VOICES
from locutor.actors.motion import perform
from locutor.actors.performance_script import recite
from locutor.actors.procedural_rig import procedural_rig
from locutor.actors.rig import Rig
from locutor.core.clock import FPS, SAMPLE_RATE
from locutor.core.face import FACE_POINTS, OUTER_EYE_CORNERS
from locutor.core.motion import Motion
from locutor.drive.voice import lip_gap
from locutor.drive.voice_fit import Footage, VoiceConfig, held_out
from locutor.evaluate.metrics import correlation, roll_correlations


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--generator", default="B")
    arguments = parser.parse_args()
    folder = find_ict_folder()
    rig, found = load_rig(folder) if folder else procedural_rig(), []
    for seed in range(arguments.seeds):
        voice = VOICES[seed % len(VOICES)]
        recital = recite(arguments.seconds, voice, seed)
        moved = perform(rig, recital, seed, GENERATORS[arguments.generator])
        face = _face(rig, moved.expression)
        sound = soxr.resample(recital.samples, recital.sample_rate, SAMPLE_RATE).astype(np.float32)
        footage = Footage.prepare(sound, Motion(face=face), VoiceConfig())
        predicted, true = (lip_gap(mouth) for mouth in held_out(footage, VoiceConfig()))
        found.append(correlation(true, predicted))
        rolls = roll_correlations(true, predicted, FPS)
        print(
            f"{rig.name} {arguments.generator} seed {seed}, {voice}: r {found[-1]:.3f}, rolls {rolls.mean():+.3f}",
            flush=True,
        )
    print(f"mean {np.mean(found):.3f}, least {min(found):.3f}")


def _face(rig: Rig, expressions: Float32[ndarray, "T E"]) -> Float32[ndarray, "T 120 2"]:
    """`Motion.face` of the rig itself: displacement of the landmarks from neutral, inter-ocular units."""
    table, points = landmark_table(rig), list(FACE_POINTS)
    neutral = table.points(rig.neutral)
    right, left = neutral[list(OUTER_EYE_CORNERS)]
    unit = float(np.linalg.norm(left - right))
    moved = [table.points(rig.deformed(rig.neutral, weights))[points] for weights in expressions]
    return ((np.stack(moved) - neutral[points])[..., :2] / unit).astype(np.float32)


if __name__ == "__main__":
    main()

"""What is said in the footage's sound, by the phonetic encoder."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from locutor.core.clock import SAMPLE_RATE
from locutor.speech.encoder import PhoneticEncoder
from locutor.speech.phonetic_classes import CLASSES, N_CLASSES, N_VISEMES, VISEMES, viseme_of_class

HEARD_FPS = 50  # phonetic frames per second; frame j is centred on sample 320 j
_PIECE = 10 * SAMPLE_RATE  # samples; the network takes 4 MB for each second that it hears at once


def hear_classes(sound: Float32[ndarray, " n"]) -> Float32[ndarray, "t 23"]:
    """Posterior of each of `phonetic_classes.CLASSES`, 50 times a second, in constant memory beside the result.

    Args:
        sound: 16 kHz, mono, -1..1.
    """
    encoder = PhoneticEncoder()
    state, heard = encoder.init(), [np.zeros((0, N_CLASSES), np.float32)]
    for start in range(0, len(sound), _PIECE):
        state, frames = encoder.step(state, sound[start : start + _PIECE])
        heard.append(frames.classes)
    heard.append(encoder.finish(state).classes)
    return np.concatenate(heard)


def visemes_of(classes: Float32[ndarray, "t 23"]) -> Float32[ndarray, "t 12"]:
    """Posterior of each of `phonetic_classes.VISEMES`."""
    return classes @ np.eye(N_VISEMES, dtype=np.float32)[viseme_of_class()]


def seconds_of_sounds(classes: Float32[ndarray, "t 23"]) -> dict[str, float]:
    """For how long each class but silence is heard, s; what is doubtful counts in parts."""
    return {name: round(float(classes[:, k].sum()) / HEARD_FPS, 2) for k, (name, _) in enumerate(CLASSES) if k}


def seconds_of_visemes(seconds: dict[str, float]) -> dict[str, float]:
    """The same for what lips show, from `seconds_of_sounds`."""
    return {
        name: sum(seconds[member] for member in members) for name, members in VISEMES if set(members) <= seconds.keys()
    }

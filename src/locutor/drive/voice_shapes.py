"""What the arrays of a voice model must be to fit together, and which encoder they belong to: a file is checked here,
once, and not at every frame."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float32, UInt8
from numpy import ndarray

from locutor.core.errors import FormatError
from locutor.drive.features import N_CHANNELS
from locutor.speech.encoder import controls_of, fingerprint
from locutor.speech.phonetic_network import N_HIDDEN

# Letters stand for one number each, the same wherever they are.
_SHAPES: dict[str, tuple[int | str, ...]] = {
    "prior_mel": (80,),
    "phonetic_mean": (375,), "phonetic_scale": (375,), "mel_mean": (520,), "mel_scale": (520,),
    "phonetic_linear": (375, "K"), "mel_linear": (520, "K"),
    "phonetic_support": ("N", 375), "mel_support": ("N", 520), "dual": ("N", "K"),
    "kernel": (4,), "generic_mean": (58, 2), "style": (1,), "mean": (58, 2), "basis": ("K", 58, 2),
    "limits": (2, "K"), "closed_mouth": (58, 2), "gap_range": (2,), "offset_frames": (1,), "encoder": (8,),
}  # fmt: skip
_SAME_WEIGHTS = 3e-3
"""Of the controls in a footage's frames those of nine in ten differ by less from what the encoder makes of their hidden
numbers, if the encoder is the same: 6e-5 in half precision. The next version of the weights: .009; before that: .06."""


def require_shapes(arrays: Mapping[str, ndarray]) -> None:
    """Whether the arrays of `voice.VoiceModel` fit together.

    Raises:
        FormatError: one has another shape, or does not hold numbers.
    """
    letters: dict[str, int] = {}
    for name, shape in _SHAPES.items():
        array = arrays[name]
        wanted = tuple(
            letters.setdefault(side, found) if isinstance(side, str) else side
            for side, found in zip(shape, array.shape, strict=False)
        )
        if len(shape) != array.ndim or array.shape != wanted or array.dtype.kind not in "fiu" or not array.size:
            raise FormatError(
                f"{name} of the voice model has another shape ({array.shape}) or kind", "train the avatar again"
            )
    if not np.all(np.abs(arrays["offset_frames"].astype(np.int64)) < 1000):
        raise FormatError("the voice model is moved by more than 1000 frames", "train the avatar again")


def require_encoder(encoder: UInt8[ndarray, " 8"], phonetic: Float32[ndarray, "N 375"]) -> None:
    """Whether a voice model was learnt with the phonetic encoder of this program.

    Args:
        encoder: fingerprint of its encoder.
        phonetic: phonetic features of its footage: they tell of models that do not know their fingerprint.

    Raises:
        FormatError: with another one.
    """
    frames = phonetic.reshape(-1, N_CHANNELS)
    away = np.abs(controls_of(frames[:, :N_HIDDEN]) - frames[:, N_HIDDEN:]).max(axis=1)
    if not np.array_equal(encoder, fingerprint()) or not np.percentile(away, 90) < _SAME_WEIGHTS:
        raise FormatError(
            "the voice model was learnt with another phonetic encoder: its lips would follow nothing",
            "train the avatar again, or its voice alone: tools/refit_voice.py NAME.avatar PERFORMANCE",
        )

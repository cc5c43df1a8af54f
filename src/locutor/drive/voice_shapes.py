"""What the arrays of a voice model must be to fit together: a file is checked here, once, and not at every frame."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy import ndarray

from locutor.core.errors import FormatError

# Letters stand for one number each, the same wherever they are.
_SHAPES: dict[str, tuple[int | str, ...]] = {
    "prior_mel": (80,),
    "phonetic_mean": (375,), "phonetic_scale": (375,), "mel_mean": (520,), "mel_scale": (520,),
    "phonetic_linear": (375, "K"), "mel_linear": (520, "K"),
    "phonetic_support": ("N", 375), "mel_support": ("N", 520), "dual": ("N", "K"),
    "kernel": (4,), "generic_mean": (58, 2), "style": (1,), "mean": (58, 2), "basis": ("K", 58, 2),
    "limits": (2, "K"), "closed_mouth": (58, 2), "gap_range": (2,), "offset_frames": (1,),
}  # fmt: skip


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
        if len(shape) != array.ndim or array.shape != wanted or array.dtype.kind not in "fi" or not array.size:
            raise FormatError(
                f"{name} of the voice model has another shape ({array.shape}) or kind", "train the avatar again"
            )
    if not np.all(np.abs(arrays["offset_frames"].astype(np.int64)) < 1000):
        raise FormatError("the voice model is moved by more than 1000 frames", "train the avatar again")

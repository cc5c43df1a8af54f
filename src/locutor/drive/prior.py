"""What a mouth does with these sounds when nothing is known of the person: a generic performer's."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from locutor.drive.features import Heard

_TABLE = Path(__file__).with_name("generic_mouth.npz")


def generic_mouth(heard: Heard) -> Float32[ndarray, "t 58 2"]:
    """Displacement of the mouth rows of `Motion.face` from neutral, inter-ocular units.

    The phonetic encoder has learnt the mouth controls from performers whose lips lead their sound by 50 ms.
    """
    return np.tensordot(heard.controls, generic_displacements(), axes=1)


@cache
def generic_displacements() -> Float32[ndarray, "11 58 2"]:
    """Of each control at weight 1, made by tools/generic_mouth.py."""
    with np.load(_TABLE, allow_pickle=False) as table:
        found: Float32[ndarray, "11 58 2"] = table["displacement"]
        return found

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
    """Displacement of the mouth rows of `Motion.face` from neutral, inter-ocular units; the lips lead by 40 ms.

    Linear in the mouth controls that the phonetic encoder hears. The weights are regressed from a table of lip
    apertures on synthesised speech, without anybody's footage (tools/generic_mouth.py).
    """
    return np.asarray(_table()["rest"] + np.tensordot(heard.controls, spoken_displacements(), axes=1))


def spoken_displacements() -> Float32[ndarray, "11 58 2"]:
    """How `generic_mouth` follows each control."""
    return _table()["spoken"]


def shapes_of_classes() -> Float32[ndarray, "23 58 2"]:
    """The generic mouth for each of `speech.phonetic_classes.CLASSES`; for silence that of no sound in particular."""
    return _table()["shapes"]


def generic_displacements() -> Float32[ndarray, "11 58 2"]:
    """How a performer's mouth follows each control at weight 1."""
    return _table()["displacement"]


@cache
def _table() -> dict[str, ndarray]:
    with np.load(_TABLE, allow_pickle=False) as table:
        return {name: table[name] for name in ("displacement", "spoken", "rest", "shapes")}

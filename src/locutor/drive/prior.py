"""What a mouth does with these sounds when nothing is known of the person: a generic performer's."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from locutor.drive.features import Heard
from locutor.drive.generic_table import generic_table
from locutor.drive.usual_opening import levelled


def generic_mouth(heard: Heard) -> Float32[ndarray, "t 58 2"]:
    """Displacement of the mouth rows of `Motion.face` from neutral, inter-ocular units.

    Linear in the mouth controls that the phonetic encoder hears, less what is usual for this voice so far and by how
    widely it opens (`usual_opening.UsualOpening`): loud, noisy and foreign voices move the lips alike. The weights are
    regressed from a table of lip apertures on synthesised speech, without anybody's footage (tools/generic_mouth.py).
    By the probability of p, b or m the mouth is as at rest, with the lips closed: the mean of both.
    """
    return _mouth(levelled(heard.controls, heard.usual, generic_table()["usual_controls"]), heard.closure)


def reference_speech() -> tuple[Float32[ndarray, "N 58 2"], Float32[ndarray, " N"]]:
    """The generic mouth in some frames of synthesised speech, and the probability of p, b or m heard there."""
    closure = generic_table()["reference_closure"]
    return _mouth(generic_table()["reference_controls"], closure), closure


def _mouth(controls: Float32[ndarray, "t 11"], closure: Float32[ndarray, " t"]) -> Float32[ndarray, "t 58 2"]:
    opened = generic_table()["rest"] + np.tensordot(controls, spoken_displacements(), axes=1)
    return np.asarray((1 - closure)[:, None, None] * opened)


def spoken_displacements() -> Float32[ndarray, "11 58 2"]:
    """How `generic_mouth` follows each control."""
    return generic_table()["spoken"]


def shapes_of_classes() -> Float32[ndarray, "23 58 2"]:
    """The generic mouth for each of `speech.phonetic_classes.CLASSES`; for silence that of no sound in particular."""
    return generic_table()["shapes"]


def generic_displacements() -> Float32[ndarray, "11 58 2"]:
    """How a performer's mouth follows each control at weight 1."""
    return generic_table()["displacement"]

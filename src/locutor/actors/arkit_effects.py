"""How the landmarks of the face follow ARKit's coefficients, on the head made by code."""

from __future__ import annotations

from functools import cache

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from locutor.actors.landmark_table import landmark_table
from locutor.actors.procedural_rig import procedural_rig
from locutor.core.face import FACE_POINTS, OUTER_EYE_CORNERS


@cache
def arkit_effects() -> Float32[ndarray, "52 120 2"]:
    """Displacement of `FACE_POINTS` by each of `core.arkit.ARKIT_NAMES` at weight 1; x right, y down, inter-ocular
    units."""
    rig = procedural_rig()
    table = landmark_table(rig)
    neutral = table.points(rig.neutral)
    unit = np.linalg.norm(np.diff(neutral[list(OUTER_EYE_CORNERS)], axis=0))
    moved = [table.points(rig.neutral + offsets) - neutral for offsets in rig.expression]
    return (np.stack(moved)[:, list(FACE_POINTS), :2] / unit).astype(np.float32)

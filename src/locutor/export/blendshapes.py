"""ARKit's coefficients of a motion that has only landmarks, such as what a voice drives.

Every blendshape moves the landmarks in a known way on the head made by code (`actors.procedural_rig`); the coefficients
of a frame are those between 0 and 1 whose movements add up to the frame's (with Tikhonov's regularisation: of two
explanations the smaller is taken). Where the eyes look is read off the irises.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from jaxtyping import Float32
from numpy import ndarray
from scipy.optimize import lsq_linear

from locutor.actors.landmark_table import landmark_table
from locutor.actors.procedural_rig import procedural_rig
from locutor.core.arkit import ARKIT_NAMES
from locutor.core.face import EYE_LEFT, EYE_RIGHT, FACE_POINTS, IRISES, OUTER_EYE_CORNERS
from locutor.core.motion import Motion

RIDGE = 0.02  # inter-ocular units per unit of a coefficient: about the noise of the landmarks
LEAST_EFFECT = 0.05  # a blendshape that moves the landmarks less (norm, inter-ocular units) cannot be told from them
# An eyeball of 1.2 cm that turns by .6 rad moves the iris by .7 cm; the outer corners of the eyes are 9 cm apart.
FULL_LOOK = 0.075


def blendshapes(motion: Motion) -> Float32[ndarray, "T 52"]:
    """The motion's own coefficients if it has them, else those that explain its landmarks.

    Raises:
        FormatError: the motion has neither `blendshapes` nor `face`.
    """
    if motion.blendshapes is not None:
        return motion.blendshapes.astype(np.float32)
    (face,) = motion.require("face")
    names, effects = _effects()
    matrix = np.concatenate([effects.T, RIDGE * np.eye(len(names))])
    skin = _skin_rows()
    out = np.zeros((len(face), len(ARKIT_NAMES)), np.float32)
    columns = [ARKIT_NAMES.index(name) for name in names]
    for k, frame in enumerate(face):
        target = np.concatenate([frame[skin].ravel(), np.zeros(len(names))])
        out[k, columns] = np.clip(lsq_linear(matrix, target, (0.0, 1.0), method="bvls").x, 0, 1)
    for name, value in _looks(face).items():
        out[:, ARKIT_NAMES.index(name)] = value
    return out


@cache
def _effects() -> tuple[tuple[str, ...], Float32[ndarray, "S C"]]:
    """Blendshapes that move the skin's landmarks, and how: x and y, inter-ocular units."""
    rig = procedural_rig()
    table = landmark_table(rig)
    neutral = table.points(rig.neutral)
    corners = neutral[list(OUTER_EYE_CORNERS)]
    points = np.array(FACE_POINTS)[_skin_rows()]
    names, effects = [], []
    for name, offsets in zip(ARKIT_NAMES, rig.expression, strict=True):
        moved = (table.points(rig.neutral + offsets) - neutral)[points, :2].ravel() / np.linalg.norm(
            np.diff(corners, axis=0)
        )
        if not name.startswith("eyeLook") and np.linalg.norm(moved) > LEAST_EFFECT:
            names.append(name)
            effects.append(moved)
    return tuple(names), np.stack(effects).astype(np.float32)


@cache
def _skin_rows() -> ndarray:
    return np.array([row for row, point in enumerate(FACE_POINTS) if point not in IRISES])


def _looks(face: Float32[ndarray, "T 120 2"]) -> dict[str, Float32[ndarray, " T"]]:
    """Left is the person's left, which lies on the right of the picture."""
    looks: dict[str, ndarray] = {}
    for side, iris, lids, outwards in (("Left", IRISES[5:], EYE_LEFT, 1.0), ("Right", IRISES[:5], EYE_RIGHT, -1.0)):
        corners = [lids[0], lids[8]]
        shift = (_mean(face, iris) - _mean(face, corners)) / FULL_LOOK
        parts = {"Out": outwards * shift[:, 0], "In": -outwards * shift[:, 0], "Down": shift[:, 1], "Up": -shift[:, 1]}
        looks |= {f"eyeLook{name}{side}": np.clip(value, 0, 1).astype(np.float32) for name, value in parts.items()}
    return looks


def _mean(face: Float32[ndarray, "T 120 2"], points: tuple[int, ...] | list[int]) -> Float32[ndarray, "T 2"]:
    return face[:, [FACE_POINTS.index(point) for point in points]].mean(1)

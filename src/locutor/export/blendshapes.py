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

from locutor.actors.arkit_effects import arkit_effects
from locutor.core.arkit import ARKIT_NAMES
from locutor.core.face import EYE_LEFT, EYE_RIGHT, FACE_POINTS, IRISES
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
    found = {
        name: moved[_skin_rows()].ravel()
        for name, moved in zip(ARKIT_NAMES, arkit_effects(), strict=True)
        if not name.startswith("eyeLook")
    }
    found = {name: moved for name, moved in found.items() if np.linalg.norm(moved) > LEAST_EFFECT}
    return tuple(found), np.stack(list(found.values()))


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

"""Expressions a user may set by hand: directions in a person's control space.

A slider has a measure, a linear function of the face's displacement (how far the lips are apart, say). Of all the
controls that change the measure by one standard deviation, the slider takes those that the person's footage makes most
likely: with independent standardised controls these are `r std / |r std|`, where `r` is the measure of the principal
components. The measures of the sliders before it stay what they are (Gram-Schmidt), so that a smile does not open the
mouth.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from locutor.avatar.controls import LIMIT, N_POSE, ControlSpace
from locutor.core.face import BROWS, EYE_LEFT, EYE_RIGHT, FACE_POINTS, IRISES, LIP_GAP

X, Y = 0, 1
NOTHING = 1e-5  # inter-ocular units: the footage did not change the measure
Measure = tuple[tuple[int, int, float], ...]  # landmark, axis, weight


@dataclass(frozen=True)
class Slider:
    """One expression.

    Attributes:
        name: for programs.
        label: for people.
        direction: standardised controls that one step adds; of unit length, zero in the pose.
        least, most: range in steps (standard deviations of the measure in the footage).
    """

    name: str
    label: str
    direction: Float32[ndarray, " F"]
    least: float
    most: float


def _mean(points: tuple[int, ...], axis: int, sign: float = 1.0) -> Measure:
    return tuple((point, axis, sign / len(points)) for point in points)


_LIDS = ((159, Y, 1.0), (145, Y, -1.0), (386, Y, 1.0), (374, Y, -1.0))
_MEASURES: tuple[tuple[str, str, Measure, float], ...] = (
    ("mouth_open", "Mouth open", ((LIP_GAP[1], Y, 1.0), (LIP_GAP[0], Y, -1.0)), 0.0),
    ("mouth_wide", "Mouth wide", ((291, X, 1.0), (61, X, -1.0)), -LIMIT),
    ("smile", "Smile", ((291, Y, -1.0), (61, Y, -1.0), (LIP_GAP[0], Y, 2.0)), -LIMIT),
    ("eyes_closed", "Eyes closed", _LIDS, -1.0),
    ("brows_up", "Brows up", _mean(BROWS, Y, -1.0), -LIMIT),
    ("look_right", "Look sideways", _mean(IRISES, X) + _mean(EYE_LEFT + EYE_RIGHT, X, -1.0), -LIMIT),
    ("look_down", "Look down", _mean(IRISES, Y), -LIMIT),
)


def sliders(controls: ControlSpace) -> list[Slider]:
    """The expressions of a person; one that the footage does not show by itself is left out."""
    made: list[Slider] = []
    for name, label, measure, least in _MEASURES:
        weights = np.zeros((len(FACE_POINTS), 2), np.float32)
        for point, axis, weight in measure:
            weights[FACE_POINTS.index(point), axis] += weight
        spread = (controls.components @ weights.ravel()) * controls.std[:-N_POSE]
        spread = np.concatenate([spread, np.zeros(N_POSE)])
        whole = float(np.linalg.norm(spread))
        for earlier in made:
            spread = spread - (spread @ earlier.direction) * earlier.direction
        length = float(np.linalg.norm(spread))
        if length > max(0.05 * whole, NOTHING):
            direction = (spread / length).astype(np.float32)
            made.append(Slider(name, label, direction, least, LIMIT))
    return made

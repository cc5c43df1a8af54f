"""A motion as CSV with the columns of Epic's Live Link Face, which Unreal, Blender add-ons and others read.

One line per frame: time code, number of values, the 52 coefficients, then yaw, pitch and roll (rad) of the head and of
the eyes. The head turns against the person's mean pose: yaw is positive towards the person's left, pitch downwards,
roll towards the person's left shoulder. Where the eyes look is in the eyeLook columns; their angles are 0.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from locutor.core.arkit import ARKIT_NAMES
from locutor.core.clock import FPS
from locutor.core.files import atomic_path
from locutor.core.motion import Motion
from locutor.export.blendshapes import blendshapes
from locutor.geometry.rotation import matrix_from_wxyz, mean_rotation, rotvec_from_matrix

ANGLES = tuple(f"{part}{angle}" for part in ("Head", "LeftEye", "RightEye") for angle in ("Yaw", "Pitch", "Roll"))
# Live Link Face puts the right before the left here, against Apple's documentation.
_SWAPPED = {"jawLeft": "jawRight", "jawRight": "jawLeft", "mouthLeft": "mouthRight", "mouthRight": "mouthLeft"}
COLUMNS = tuple(_SWAPPED.get(name, name) for name in ARKIT_NAMES)
HEADER = ("Timecode", "BlendshapeCount", *(name[0].upper() + name[1:] for name in COLUMNS), *ANGLES)


def write_arkit_csv(motion: Motion, path: Path) -> None:
    """Write a motion that has `blendshapes` or `face`; without `head` its angles are 0.

    Raises:
        FormatError: the motion has neither channel.
        OutputError: the place cannot be written to.
    """
    values = blendshapes(motion)[:, [ARKIT_NAMES.index(name) for name in COLUMNS]]
    angles = np.concatenate([_head_angles(motion), np.zeros((len(motion), len(ANGLES) - 3))], 1)
    with atomic_path(path) as part, part.open("w", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(HEADER)
        for k, row in enumerate(np.concatenate([values, angles], 1)):
            lines.writerow([_timecode(k), len(row), *(f"{value:.6f}" for value in row)])


def _head_angles(motion: Motion) -> Float[ndarray, "T 3"]:
    if motion.head_wxyz is None:
        return np.zeros((len(motion), 3))
    R = matrix_from_wxyz(motion.head_wxyz.astype(np.float64))
    pitch, yaw, roll = rotvec_from_matrix(R @ mean_rotation(R).T).T
    # About y (down) the face turns to the picture's left, the person's right, and about z (away) its crown to the
    # picture's right, the person's left.
    return np.stack([-yaw, pitch, roll], 1)


def _timecode(frame: int) -> str:
    seconds, part = divmod(frame, FPS)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}:{part:02}.000"

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
from locutor.core.errors import FormatError
from locutor.core.files import atomic_path
from locutor.core.motion import Motion
from locutor.core.text import one_line
from locutor.export.blendshapes import blendshapes
from locutor.geometry.rotation import matrix_from_wxyz, mean_rotation, rotvec_from_matrix

LARGEST_BYTES = 256 << 20  # about three hours
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


def read_arkit_csv(path: Path) -> Motion:
    """The 52 coefficients of such a file, ours or a telephone's, as a motion with `blendshapes` alone.

    Columns are found by their names, in any order and case. What lies beyond 0..1 is cut. The frames are taken as they
    come: a file of another rate than `FPS` must be resampled first.

    Raises:
        FormatError: the file is not there, too large, or not of this form.
    """
    again = "export it again from the program that made it"
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise FormatError(f"{path} has more than {LARGEST_BYTES >> 20} MB", "cut it into pieces")
        with path.open(newline="", encoding="utf-8-sig") as file:
            lines = csv.reader(file)
            header = [name.strip().lower() for name in next(lines, [])]
            places = [header.index(name.lower()) for name in COLUMNS]
            rows = [[float(line[place]) for place in places] for line in lines if line]
    except (OSError, ValueError, IndexError, OverflowError, csv.Error) as error:
        raise FormatError(f"{path} is no CSV of ARKit coefficients ({one_line(error)[:120]})", again) from error
    values = np.array(rows, np.float64).reshape(-1, len(COLUMNS))
    if not len(values) or not np.isfinite(values).all():
        raise FormatError(f"{path} has no frames, or values that are not numbers", again)
    blendshapes = np.empty_like(values)
    blendshapes[:, [ARKIT_NAMES.index(name) for name in COLUMNS]] = np.clip(values, 0, 1)
    return Motion(blendshapes=blendshapes.astype(np.float32))


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

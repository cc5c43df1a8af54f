"""A person's footage, prepared for `IdleDriver`'s walk."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from jaxtyping import Bool, Float32
from numpy import ndarray

from locutor.core.clock import FPS
from locutor.core.errors import FootageError, FormatError
from locutor.core.face import EYES_SLICE, FACE_POINTS
from locutor.core.motion import Motion
from locutor.drive.blinks import blink_mask, closure
from locutor.geometry.rotation import (
    matrix_from_rotvec,
    matrix_from_wxyz,
    mean_rotation,
    rotvec_from_matrix,
    wxyz_from_matrix,
)

UPPER = slice(EYES_SLICE.start, len(FACE_POINTS))
"""Rows of `Motion.face` that are eyes and brows."""
HEAD_W, HEAD_XYZ, TORSO_W, TORSO_XYZ = GROUPS = (slice(0, 3), slice(3, 6), slice(6, 9), slice(9, 12))
"""Columns of the trace: rotation vectors about the mean (rad), positions (inter-ocular units)."""
N_POSE = 12


@dataclass(frozen=True)
class IdleModel:
    """A person's footage as a trace to walk on.

    Attributes:
        trace: per frame: head rotation vector about the mean (rad), head position, the same of the torso
            (inter-ocular units), then x and y of eyes and brows (rows of `Motion.face`), 136 numbers.
        mean_wxyz: mean rotations of head and torso.
        is_blink: frames that belong to a blink.
        may_land: frames that were really observed.
        closure: displacement of the eye rows in a full blink, inter-ocular units.
    """

    trace: Float32[ndarray, "T 136"]
    mean_wxyz: Float32[ndarray, "2 4"]
    is_blink: Bool[ndarray, " T"]
    may_land: Bool[ndarray, " T"]
    closure: Float32[ndarray, "42 2"]

    def to_motion(self, rows: Float32[ndarray, "t 136"]) -> Motion:
        """Rows like those of the trace as motion; the mouth rows of `face` are zero."""
        face = np.zeros((len(rows), len(FACE_POINTS), 2), np.float32)
        face[:, UPPER] = rows[:, N_POSE:].reshape(len(rows), UPPER.stop - UPPER.start, 2)
        head, torso = (
            wxyz_from_matrix(matrix_from_rotvec(rows[:, w].astype(np.float64)) @ matrix_from_wxyz(mean))
            for w, mean in zip((HEAD_W, TORSO_W), self.mean_wxyz.astype(np.float64), strict=True)
        )
        return Motion(
            face=face,
            head_wxyz=head.astype(np.float32),
            head_xyz=rows[:, HEAD_XYZ],
            torso_wxyz=torso.astype(np.float32),
            torso_xyz=rows[:, TORSO_XYZ],
        )

    def to_tensors(self) -> dict[str, ndarray]:
        """Arrays by name, for a bundle; booleans as bytes."""
        arrays = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: np.ascontiguousarray(a, np.uint8 if a.dtype == bool else None) for name, a in arrays.items()}

    @staticmethod
    def from_tensors(tensors: dict[str, ndarray]) -> IdleModel:
        """The inverse of `to_tensors`; other names are ignored.

        Raises:
            FormatError: an array is missing.
        """
        names = [field.name for field in fields(IdleModel)]
        missing = [name for name in names if name not in tensors]
        if missing:
            raise FormatError(f"the idle model lacks {', '.join(missing)}", "train the avatar again with this version")
        arrays = {name: tensors[name] for name in names}
        return IdleModel(**{name: a.astype(bool) if a.dtype == np.uint8 else a for name, a in arrays.items()})


def fit_idle(motion: Motion, neutral: Float32[ndarray, "120 2"]) -> IdleModel:
    """Prepare tracked footage for the walk.

    Args:
        motion: tracked motion with face, head and torso.
        neutral: the person's neutral positions of `FACE_POINTS` in the head frame, inter-ocular units.

    Raises:
        FootageError: a channel is missing or there is less than a second of footage.
    """
    channels = motion.channels()
    missing = {"face", "head_wxyz", "head_xyz", "torso_wxyz", "torso_xyz"} - set(channels)
    if missing:
        raise FootageError(f"the motion lacks {', '.join(sorted(missing))}", "track head, torso and face first")
    if len(motion) < FPS:
        raise FootageError(f"the footage lasts {motion.duration_s:.1f} s", "give at least a second, better 30")
    rotations = [matrix_from_wxyz(channels[name].astype(np.float64)) for name in ("head_wxyz", "torso_wxyz")]
    means = [mean_rotation(R) for R in rotations]
    head_w, torso_w = (rotvec_from_matrix(R @ mean.T) for R, mean in zip(rotations, means, strict=True))
    face = channels["face"].astype(np.float32)
    upper = face[:, UPPER].reshape(len(face), -1)
    parts = [head_w, channels["head_xyz"], torso_w, channels["torso_xyz"], upper]
    return IdleModel(
        trace=np.concatenate(parts, axis=1).astype(np.float32),
        mean_wxyz=np.stack([wxyz_from_matrix(mean) for mean in means]).astype(np.float32),
        is_blink=blink_mask(face),
        may_land=channels.get("valid", np.ones(len(face), bool)),
        closure=closure(face, neutral.astype(np.float32)),
    )

"""One frame of motion as the few numbers that a renderer takes: what a browser or another process is sent."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float, Float32
from numpy import ndarray

from locutor.avatar.avatar import Avatar
from locutor.core.motion import Motion
from locutor.geometry.rotation import matrix_from_wxyz
from locutor.splat.bodies import BodyPose

N_POSE = 14
"""Numbers behind the coefficients: head wxyz, head xyz, torso wxyz, torso xyz."""


def motion_rows(
    avatar: Avatar, motion: Motion, control_offset: Float32[ndarray, " F"] | None = None
) -> Float32[ndarray, "T K14"]:
    """K coefficients of the motion field, head wxyz, head xyz, torso wxyz, torso xyz of every frame.

    Both quaternions lie in one hemisphere, as `BodyPose` asks.

    Args:
        avatar: who moves.
        motion: needs `face`, `head` and `torso`.
        control_offset: as in `Avatar.coefficients`.
    """
    poses = motion.require("head_wxyz", "head_xyz", "torso_wxyz", "torso_xyz")
    head_wxyz, head_xyz, torso_wxyz, torso_xyz = poses
    flip = np.where((head_wxyz * torso_wxyz).sum(1) < 0, -1, 1)[:, None]
    coefficients = avatar.coefficients(motion, control_offset).numpy()
    return np.concatenate([coefficients, head_wxyz, head_xyz, flip * torso_wxyz, torso_xyz], 1).astype(np.float32)


def split_row(row: Float32[ndarray, " K14"]) -> tuple[Float32[ndarray, " K"], BodyPose]:
    """Coefficients and pose of one row, for the renderer."""
    head_wxyz, head_xyz, torso_wxyz, torso_xyz = np.split(row[-N_POSE:], [4, 7, 11])
    rotations = matrix_from_wxyz(np.stack([head_wxyz, torso_wxyz])).astype(np.float32)
    pose = BodyPose(*(torch.from_numpy(np.ascontiguousarray(a)) for a in (
        rotations[0], head_xyz, head_wxyz, rotations[1], torso_xyz, torso_wxyz
    )))  # fmt: skip
    return row[:-N_POSE], pose


def turned(row: Float32[ndarray, " K14"], turn_wxyz: Float[ndarray, " 4"]) -> Float32[ndarray, " K14"]:
    """The row with the head turned about its own origin by a rotation in world axes; the torso stays."""
    k = len(row) - N_POSE
    w, x, y, z = turn_wxyz
    left = np.array([[w, -x, -y, -z], [x, w, -z, y], [y, z, w, -x], [z, -y, x, w]])
    head = left @ row[k : k + 4]
    out = row.copy()
    out[k : k + 4] = head
    if head @ row[k + 7 : k + 11] < 0:
        out[k + 7 : k + 11] *= -1
    return out

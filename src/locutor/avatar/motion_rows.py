"""Motion as numbers for whoever draws the avatar somewhere else."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float32
from numpy import ndarray

from locutor.avatar.avatar import Avatar, body_pose
from locutor.core.motion import Motion

N_POSE = 14
"""Numbers behind the coefficients: the poses of head and torso."""


def motion_rows(avatar: Avatar, motion: Motion) -> Float32[ndarray, "T K14"]:
    """What one frame of motion is for the browser: K coefficients, then the poses of head and torso.

    Columns: K coefficients, head wxyz, head xyz, torso wxyz, torso xyz; both quaternions in one hemisphere.
    Needs `face`, `head` and `torso`.
    """
    if len(motion) == 0:
        return np.zeros((0, len(avatar.bases) + N_POSE), np.float32)
    poses = [body_pose(motion, k) for k in range(len(motion))]
    bodies = [torch.cat([p.head_wxyz, p.head_xyz, p.torso_wxyz, p.torso_xyz]).numpy() for p in poses]
    return np.concatenate([avatar.coefficients(motion).numpy(), np.stack(bodies)], axis=1).astype(np.float32)

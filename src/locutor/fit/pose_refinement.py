"""Head and torso poses and the shoulders of the training frames, refined with the avatar.

The tracked pose is right to a fraction of a pixel for the head, to a pixel or two for the torso; what is left would be
learnt as blur. Each frame has a small correction of its own. It is found once, when the avatar has taken shape, for all
frames together (`avatar.pose_tracker`), and moved by the photometric gradient whenever the frame is drawn. The mean
correction is taken out, so that poses tracked without the avatar still fit it.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32, Int
from numpy import ndarray
from torch import Tensor

from locutor.avatar.footage import Footage
from locutor.avatar.pose_tracker import N_UNKNOWNS, PARTS, ROUNDS
from locutor.capture.performance import Performance
from locutor.capture.regions import face_hull, find_regions
from locutor.capture.stabilise import landmarks_in_head
from locutor.core.face import FACE_POINTS, RIGID
from locutor.geometry.rotation import matrix_from_wxyz
from locutor.splat.bodies import BodyPose

N_POSE_UNKNOWNS = PARTS[-1]  # the rest are the shoulders, which act through the torso's bases
RATE = 6e-4  # about 0.05 px per visit at the start
BETAS = (0.9, 0.99)
FROM_ITERATION = 600
ALL_AT_ONCE = 0.3  # share of the training after which all frames are refined together
EVERY_AT_ONCE = 4  # frames: the torso's track drifts slowly, the frames between are interpolated
EVERY_FOR_LIGHT = 16  # frames: exposure drifts slowly
ROUNDS_AT_ONCE = ROUNDS[:2]  # small pictures, the torso alone: the gradient is enough for the head


class PoseRefiner:
    """Corrections per frame and their Adam state; frames that are not drawn do not move.

    Attributes:
        correction: rotation vectors (rad) and shifts (inter-ocular units), head then torso; the shoulders.
    """

    def __init__(self, n_frames: int) -> None:
        self.correction = torch.zeros(n_frames, N_UNKNOWNS)
        self._mean = torch.zeros(n_frames, N_UNKNOWNS)
        self._square = torch.zeros(n_frames, N_UNKNOWNS)
        self._visits = torch.zeros(n_frames)

    def all_unknowns(self) -> Float[Tensor, "T 14"]:
        """Every frame's correction without the mean over all frames."""
        return self.correction - self.correction.mean(0)

    def unknowns(self, k: int) -> Float[Tensor, " 14"]:
        """Frame k's correction without the mean over all frames."""
        return self.correction[k] - self.correction.mean(0)

    def step(self, k: int, gradient: Float[Tensor, " 14"], share_done: float) -> None:
        """Adam on one frame (Kingma & Ba 2015)."""
        self._visits[k] += 1
        visits = float(self._visits[k])
        self._mean[k].lerp_(gradient, 1 - BETAS[0])
        self._square[k].lerp_(gradient**2, 1 - BETAS[1])
        mean = self._mean[k] / (1 - BETAS[0] ** visits)
        square = self._square[k] / (1 - BETAS[1] ** visits)
        self.correction[k] -= RATE * max(0.1, 1 - share_done) * mean / (square.sqrt() + 1e-12)

    def state(self) -> dict[str, Tensor]:
        """Everything needed to go on later."""
        return {"correction": self.correction, "mean": self._mean, "square": self._square, "visits": self._visits}

    def restore(self, state: dict[str, Any]) -> None:
        """Go back to a `state`."""
        self.correction, self._mean = state["correction"], state["mean"]
        self._square, self._visits = state["square"], state["visits"]


def footage_from(performance: Performance, frames: Int[ndarray, " T"]) -> Footage:
    """Some frames of a performance, the mouth hidden."""
    mouth = find_regions(performance.tracking.landmarks, performance.camera.width).mouth

    def hidden(k: int) -> Bool[ndarray, "H W"]:
        mask = np.zeros((performance.camera.height, performance.camera.width), bool)
        left, top, right, bottom = mouth[frames[k]]
        mask[top:bottom, left:right] = True
        return mask

    def skin(k: int) -> Bool[ndarray, "H W"]:
        camera = performance.camera
        return face_hull(performance.tracking.landmarks[frames[k]], camera.height, camera.width)

    points = tracked_points(performance)[frames]
    return Footage(lambda k: performance.frames.rgb(int(frames[k])), hidden, skin, points)


def tracked_points(performance: Performance) -> Float32[ndarray, "T 120 3"]:
    """The landmarks of `Motion.face` in every frame, head frame, inter-ocular units."""
    tracking = performance.tracking
    head_wxyz, head_xyz = tracking.motion.require("head_wxyz", "head_xyz")
    R, rigid = matrix_from_wxyz(head_wxyz), tracking.neutral[list(RIGID)]
    return landmarks_in_head(tracking.landmarks, R, head_xyz, rigid, performance.camera)[:, list(FACE_POINTS)]


def corrected(pose: BodyPose, unknowns: Float[Tensor, " 14"]) -> BodyPose:
    """The pose moved by a small correction (first order in the rotation); the quaternions stay."""
    head_turn, head_shift, torso_turn, torso_shift = unknowns[:N_POSE_UNKNOWNS].split(3)
    return dataclasses.replace(
        pose,
        R_world_head=pose.R_world_head + _cross_columns(head_turn, pose.R_world_head),
        head_xyz=pose.head_xyz + head_shift,
        R_world_torso=pose.R_world_torso + _cross_columns(torso_turn, pose.R_world_torso),
        torso_xyz=pose.torso_xyz + torso_shift,
    )


def _cross_columns(turn: Float[Tensor, " 3"], R: Float[Tensor, "3 3"]) -> Float[Tensor, "3 3"]:
    return torch.linalg.cross(turn[:, None].expand(3, 3), R, dim=0)

"""Where MediaPipe's 478 landmarks lie on each rig, and where they are in every frame of a performance."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources

import numpy as np
from jaxtyping import Float, Float32, Int
from numpy import ndarray

from locutor.actors.motion import PerformerMotion
from locutor.actors.rig import Rig
from locutor.actors.scene import LIDS, Actor, carried, placed_eye
from locutor.core.errors import FormatError
from locutor.geometry.rotation import matrix_from_rotvec

N_LANDMARKS = 478


@dataclass(frozen=True)
class LandmarkTable:
    """Points on the triangles of a rig, measured by `tools/calibrate_landmarks.py`.

    Attributes:
        corners: rig vertices of the triangle each landmark lies on.
        weights: barycentric, rows sum to one.
    """

    corners: Int[ndarray, "478 3"]
    weights: Float32[ndarray, "478 3"]

    def points(self, vertices: Float[ndarray, "V 3"]) -> Float32[ndarray, "478 3"]:
        """The landmarks on these vertices of the rig."""
        return (self.weights[..., None] * vertices[self.corners]).sum(1).astype(np.float32)


def landmark_table(rig: Rig) -> LandmarkTable:
    """The table of this kind of rig.

    Raises:
        FormatError: the table was made for a rig with other vertices.
    """
    source = resources.files("locutor.actors") / f"landmarks_{rig.name}.npz"
    with resources.as_file(source) as path, np.load(path, allow_pickle=False) as stored:
        if int(stored["n_vertices"]) != len(rig.neutral):
            raise FormatError(
                f"the landmarks of the rig {rig.name!r} were measured on {int(stored['n_vertices'])} vertices, "
                f"this rig has {len(rig.neutral)}",
                "run tools/calibrate_landmarks.py again",
            )
        return LandmarkTable(stored["corners"].astype(np.int64), stored["weights"])


def neutral_landmarks(actor: Actor, table: LandmarkTable) -> Float32[ndarray, "478 3"]:
    """The landmarks of the neutral face, rig units, frame of the neutral head."""
    return table.points(actor.neutral)


def true_landmarks(actor: Actor, motion: PerformerMotion, table: LandmarkTable) -> Float32[ndarray, "T 478 3"]:
    """The landmarks of every frame in the camera's frame, rig units."""
    used, corners = np.unique(table.corners, return_inverse=True)
    corners = corners.reshape(-1, 3)
    expression = actor.rig.expression[:, used].reshape(len(actor.rig.expression), -1)
    out = np.empty((len(motion), N_LANDMARKS, 3), np.float32)
    share = (table.weights * actor.head_share[used][corners]).sum(1)[:, None]
    balls = [
        (_within(used, ball), actor.eye_centre(ball), lid) for ball, lid in zip(actor.rig.eyeballs, LIDS, strict=True)
    ]
    for k in range(len(motion)):
        pose = motion.pose(k)
        face = actor.neutral[used] + (pose.expression @ expression).reshape(-1, 3)
        for rows, centre, lid in balls:
            face[rows] = placed_eye(face[rows], centre, pose, lid)
        points = (table.weights[..., None] * face[corners]).sum(1)
        out[k] = carried(points, share, pose) + [0, 0, actor.distance]
    return out


def in_head(
    world: Float[ndarray, "T 478 3"], motion: PerformerMotion, actor: Actor, pivot: Float[ndarray, 3]
) -> Float32[ndarray, "T 478 3"]:
    """Points of the camera's frame with the head pose taken out: places in the frame of the neutral head."""
    R = matrix_from_rotvec(motion.head_rotvec)
    shifted = world - [0, 0, actor.distance] - motion.head_shift[:, None] - pivot
    return (np.einsum("tji,tmj->tmi", R, shifted) + pivot).astype(np.float32)


def _within(used: Int[ndarray, " n"], part: slice) -> ndarray:
    return (used >= part.start) & (used < part.stop)

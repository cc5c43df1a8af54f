"""Landmarks with the head pose taken out: the controls that drive the face."""

import numpy as np
from jaxtyping import Float, Float32
from numpy import ndarray

from locutor.core.camera import Camera
from locutor.core.face import FACE_POINTS, RIGID


def landmarks_in_head(
    landmarks: Float[ndarray, "T 478 3"],
    R_world_head: Float[ndarray, "T 3 3"],
    head_xyz: Float[ndarray, "T 3"],
    rigid_points: Float[ndarray, "M 3"],
    camera: Camera,
) -> Float32[ndarray, "T 478 3"]:
    """All landmarks in the head frame, inter-ocular units.

    MediaPipe's depth is relative and in pixels; the rigid points (of `core.face.RIGID`, in the head frame)
    say where the face is and how large.
    """
    rigid_depth_px = landmarks[:, RIGID, 2].mean(1)
    rigid_depth = R_world_head[:, 2] @ rigid_points.mean(0) + head_xyz[:, 2]
    depth = rigid_depth[:, None] * (1 + (landmarks[..., 2] - rigid_depth_px[:, None]) / camera.focal_px)
    rays = (landmarks[..., :2] - np.array([camera.cx, camera.cy])) / camera.focal_px
    world = np.concatenate([rays * depth[..., None], depth[..., None]], -1)
    return np.einsum("tji,tmj->tmi", R_world_head, world - head_xyz[:, None]).astype(np.float32)


def face_displacements(
    in_head: Float[ndarray, "T 478 3"], neutral: Float[ndarray, "478 3"]
) -> Float32[ndarray, "T 120 2"]:
    """`Motion.face`: how far each control point is from the person's neutral."""
    points = list(FACE_POINTS)
    return (in_head[:, points, :2] - neutral[points, :2]).astype(np.float32)

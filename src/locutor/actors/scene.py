"""An actor: everything that is drawn, and drawing it for one frame of motion."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float, Float32, Int, UInt8
from numpy import ndarray
from scipy.sparse import block_diag, coo_array, csr_array

from locutor.actors.lighting import shade, visibility
from locutor.actors.renderer import interpolate, visible_triangles
from locutor.actors.rig import LANDMARK_EYE_CORNERS, Rig
from locutor.actors.textures import srgb_from_linear
from locutor.core.camera import Camera

SUPERSAMPLING = 2
PIVOT = np.array([0.0, 3.0, 1.5], np.float32)  # where the skull sits on the neck, rig units
TORSO_PIVOT = np.array([0.0, 30.0, 2.0], np.float32)


@dataclass(frozen=True)
class Pose:
    """Where the bodies are in one frame.

    Attributes:
        expression: weights of the rig's expressions.
        R_head, head_shift: rotation about the joint of head and neck, and shift (rig units), from the rest pose.
        R_torso, torso_shift: the same for the torso.
        gaze: yaw (to the image's right) and pitch (down) of both eyes in the head, rad.
    """

    expression: Float32[ndarray, " E"]
    R_head: Float[ndarray, "3 3"]
    head_shift: Float[ndarray, "3"]
    R_torso: Float[ndarray, "3 3"]
    torso_shift: Float[ndarray, "3"]
    gaze: Float[ndarray, "2"]


@dataclass(frozen=True)
class Actor:
    """A person ready to be drawn; lengths in rig units, places in the frame of the neutral head.

    The first `n_rig` vertices are the rig's, the others belong to clothes and hair.
    """

    rig: Rig
    neutral: Float32[ndarray, "V 3"]
    rest: Float32[ndarray, "N 3"]
    rest_normals: Float32[ndarray, "N 3"]
    follow: csr_array
    follows: Bool[ndarray, " N"]
    head_share: Float32[ndarray, " N"]
    triangles: Int[ndarray, "M 3"]
    corner_texel: Float32[ndarray, "M 3 2"]
    material: Int[ndarray, " M"]
    visible: Float32[ndarray, "N 2"]
    atlas: Float32[ndarray, "H W 4"]
    backdrop: Float32[ndarray, "H2 W2 3"]
    camera: Camera
    distance: float

    def place(self, pose: Pose) -> tuple[Float32[ndarray, "N 3"], Float32[ndarray, "N 3"]]:
        """Vertices in the camera's frame, and their normals."""
        raise NotImplementedError

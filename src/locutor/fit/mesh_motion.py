"""What the landmarks already say of the motion field: where its first bases start.

The controls are made of landmarks, so how the face mesh moves with each of them is known before the first picture is
drawn: a linear regression over the training frames, which are the blendshapes of the person. A Gaussian on the face
starts with the motion of its place on the mesh. What the landmarks cannot tell is learnt from there; where the footage
showed little, lips that follow their landmarks are a better guess than whatever the pictures left undecided.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32, Int
from numpy import ndarray
from scipy.interpolate import LinearNDInterpolator
from scipy.spatial import cKDTree

from locutor.avatar.controls import FACE_CONTROLS, ControlSpace
from locutor.capture.performance import Performance
from locutor.capture.stabilise import landmarks_in_head
from locutor.core.face import RIGID
from locutor.geometry.rotation import matrix_from_wxyz

N_MESH = 468  # the face mesh without the irises
RIDGE = 0.003  # of the regression, for standardised controls: as a share of the frames
FADE = 0.12  # outside of the mesh the motion dies away with this standard deviation, inter-ocular units
N_NEAREST = 4  # points of the mesh that a place outside of it follows


@dataclass(frozen=True)
class MeshMotion:
    """How the points of the face mesh move with the controls of mouth, eyes, brows and lids.

    Attributes:
        shapes: displacement of each point when a control grows by 1; head frame, inter-ocular units.
        controls: these controls, standardised, in every training frame.
    """

    shapes: Float[ndarray, "J 468 3"]
    controls: Float[ndarray, "T J"]

    def at(
        self, places_px: Float[ndarray, "n 2"], mesh_px: Float32[ndarray, "468 2"], unit_px: float
    ) -> Float[ndarray, "n J 3"]:
        """The displacement of places of a picture: of their triangle of the mesh, or of its nearest points, faded.

        Args:
            places_px: where.
            mesh_px: the mesh in the same picture.
            unit_px: the inter-ocular unit there.
        """
        table = self.shapes.transpose(1, 0, 2).reshape(N_MESH, -1)
        moved = LinearNDInterpolator(mesh_px, table)(places_px)
        outside = np.isnan(moved[:, 0])
        if outside.any():
            moved[outside] = _faded(table, mesh_px, places_px[outside], unit_px)
        return moved.reshape(len(places_px), len(self.shapes), 3)


def _faded(
    table: Float[ndarray, "468 C"], mesh_px: Float32[ndarray, "468 2"], places_px: Float[ndarray, "n 2"], unit_px: float
) -> Float[ndarray, "n C"]:
    distance_px, nearest = cKDTree(mesh_px).query(places_px, k=N_NEAREST)
    weight = 1 / (distance_px + 1e-6)
    weight /= weight.sum(1, keepdims=True)
    fade = np.exp(-0.5 * (distance_px[:, 0] / (FADE * unit_px)) ** 2)
    return np.einsum("nk,nkc->nc", weight * fade[:, None], table[nearest])


def fit_mesh_motion(performance: Performance, space: ControlSpace, n_controls: int) -> MeshMotion:
    """The mesh's motion with the first `n_controls` controls of the face, by ridge regression on all controls.

    The head's pose is in the regression too: what the landmarks get wrong when it turns is not the face's motion.
    """
    n = performance.n_train
    motion = performance.tracking.motion[:n]
    controls = space.encode(motion).astype(np.float64)
    mesh = _mesh_in_head(performance, np.arange(n)).reshape(n, -1)
    centred = controls - controls.mean(0)
    H = centred.T @ centred + RIDGE * n * np.eye(controls.shape[1])
    slopes = np.linalg.solve(H, centred.T @ (mesh - mesh.mean(0)))
    n_controls = min(n_controls, FACE_CONTROLS.stop)
    return MeshMotion(slopes[:n_controls].reshape(-1, N_MESH, 3), controls[:, :n_controls])


def _mesh_in_head(performance: Performance, frames: Int[ndarray, " T"]) -> Float[ndarray, "T 468 3"]:
    tracking = performance.tracking
    head_wxyz, head_xyz = (channel[frames] for channel in tracking.motion.require("head_wxyz", "head_xyz"))
    rigid = tracking.neutral[list(RIGID)]
    R = matrix_from_wxyz(head_wxyz)
    in_head = landmarks_in_head(tracking.landmarks[frames], R, head_xyz, rigid, performance.camera)
    return in_head[:, :N_MESH].astype(np.float64)

"""The head's rigid track, and the least-squares problem that refines it.

Unknowns per frame: rotation vector about a mean rotation, and translation. A static set of quasi-rigid
points is common to all frames. Landmarks give each frame its pose; optical flow ties neighbours; a robust
prior on acceleration removes jitter. Gauss-Newton on a banded matrix: linear in the number of frames.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray
from scipy.linalg import solveh_banded

from locutor.core.camera import Camera
from locutor.geometry.rotation import left_jacobian, matrix_from_rotvec, skew

BANDWIDTH = 12  # the acceleration prior couples frames t and t + 2, six unknowns each


@dataclass(frozen=True)
class RigidTrack:
    """Poses of a rigid set of points.

    Attributes:
        R_mean: mean rotation R_world_head.
        w: rotation vectors, R_world_head[t] = exp(w[t]) @ R_mean.
        xyz: translations, inter-ocular units.
        points: the rigid points in the head frame, inter-ocular units.
        sigma_px: how far each point's landmark strays, px.
    """

    R_mean: Float[ndarray, "3 3"]
    w: Float[ndarray, "T 3"]
    xyz: Float[ndarray, "T 3"]
    points: Float[ndarray, "M 3"]
    sigma_px: Float[ndarray, " M"]

    @property
    def R_world_head(self) -> Float[ndarray, "T 3 3"]:
        """Rotations of all frames."""
        return matrix_from_rotvec(self.w) @ self.R_mean

    def rotated_points(self) -> Float[ndarray, "T M 3"]:
        """Points turned into world axes, before the translation."""
        return np.einsum("tij,mj->tmi", self.R_world_head, self.points)

    def project(self, camera: Camera) -> Float[ndarray, "T M 2"]:
        """Pixel positions of the points in every frame."""
        return camera.project(self.rotated_points() + self.xyz[:, None])


@dataclass(frozen=True)
class FlowField:
    """Optical flow measured at the projected points from frame t to t + 1, px, with its check."""

    flow: Float[ndarray, "T1 M 2"]
    trusted: Bool[ndarray, "T1 M"]


@dataclass(frozen=True)
class Weights:
    """How much each kind of evidence counts.

    Attributes:
        landmark_scale: multiplies the per-point sigma of the landmarks.
        flow_px: sigma of the flow, px per frame.
        acceleration_px: sigma of the second difference of the pose, in px of image motion.
        shape: sigma of a point's move from its start, inter-ocular units; None keeps the shape.
        depth: the same for moves in depth; None means that of `shape`. Depth and turn can hardly be told apart at the
            pose ranges of talking people (the bas-relief ambiguity), so the start must be trusted.
    """

    landmark_scale: float = 1.0
    flow_px: float = 0.15
    acceleration_px: float | None = None
    shape: float | None = None
    depth: float | None = None


def refine(
    track: RigidTrack,
    landmarks_px: Float[ndarray, "T M 2"],
    observed: Bool[ndarray, " T"] | Float[ndarray, "T M"],
    camera: Camera,
    weights: Weights,
    flow: FlowField | None = None,
    iterations: int = 6,
    learn_sigma: bool = False,
    cuts: Sequence[int] = (),
) -> RigidTrack:
    """Gauss-Newton on the poses (and on the shape when `weights.shape` is set).

    `observed` says in which frames the landmarks were seen, or with what weight (0..1) each of them counts.
    The acceleration prior does not reach across `cuts`, the frames with which a new shot begins.

    Reprojection error misleads about jitter; the residual flow is what to judge the result by
    (`flow.residual_flow`).
    """
    start_points = track.points
    trust = observed if observed.ndim == 2 else np.repeat(observed[:, None], len(start_points), 1).astype(np.float64)
    for iteration in range(iterations):
        error = track.project(camera) - landmarks_px
        if learn_sigma and iteration >= 2:
            track = replace(track, sigma_px=_learn_sigma(error, trust, track.sigma_px))
        track = _step(track, error, trust, camera, weights, flow, start_points, cuts)
    return track


def _learn_sigma(
    error: Float[ndarray, "T M 2"], trust: Float[ndarray, "T M"], sigma_px: Float[ndarray, " M"]
) -> Float[ndarray, " M"]:
    clipped = np.minimum(np.linalg.norm(error, axis=-1), 6 * sigma_px)
    return np.sqrt((trust * clipped**2).sum(0) / (2 * trust.sum(0) + 1e-9)) + 0.15


def _step(
    track: RigidTrack,
    error: Float[ndarray, "T M 2"],
    trust: Float[ndarray, "T M"],
    camera: Camera,
    weights: Weights,
    flow: FlowField | None,
    start_points: Float[ndarray, "M 3"],
    cuts: Sequence[int],
) -> RigidTrack:
    n_frames, n_points = error.shape[:2]
    rotated = track.rotated_points()
    J_point = _projection_jacobian(rotated + track.xyz[:, None], camera)
    J_pose = np.concatenate([-J_point @ skew(rotated) @ left_jacobian(track.w)[:, None], J_point], -1)

    sigma = weights.landmark_scale * track.sigma_px
    norm = np.linalg.norm(error, axis=-1)
    weight = trust / sigma**2 / np.maximum(1.0, norm / (2.5 * track.sigma_px))  # Huber
    JW = J_pose * weight[..., None, None]
    diagonal = np.einsum("tmia,tmib->tab", JW, J_pose)
    gradient = np.einsum("tmia,tmi->ta", JW, error)
    neighbour = np.zeros((n_frames - 1, 6, 6))
    if flow is not None:
        _add_flow(diagonal, neighbour, gradient, J_pose, track.project(camera), flow, weights.flow_px)
    banded = _to_banded(diagonal, neighbour)
    if weights.acceleration_px is not None:
        _add_acceleration(banded, gradient, track, camera, weights.acceleration_px, cuts)
    banded[0] += 1e-6

    if weights.shape is None:
        pose_step = -solveh_banded(banded, gradient.reshape(-1), lower=True)
        point_step = np.zeros((n_points, 3))
    else:
        sigma_shape = np.array([weights.shape, weights.shape, weights.depth or weights.shape])
        J_shape = J_point @ track.R_world_head[:, None]
        coupling = np.einsum("tmia,tmib->tamb", JW, J_shape)
        blocks = np.einsum("tmia,tmib,tm->mab", J_shape, J_shape, weight) + np.diag(1 / sigma_shape**2)
        shape_gradient = np.einsum("tmia,tmi,tm->ma", J_shape, error, weight)
        shape_gradient += (track.points - start_points) / sigma_shape**2
        if flow is not None:
            _add_flow_to_shape(coupling, blocks, shape_gradient, J_pose, J_shape, track.project(camera), flow, weights)
        pose_step, point_step = _schur_step(banded, gradient, coupling, blocks, shape_gradient)
    pose_step = pose_step.reshape(n_frames, 6)
    return replace(
        track, w=track.w + pose_step[:, :3], xyz=track.xyz + pose_step[:, 3:], points=track.points + point_step
    )


def _projection_jacobian(points: Float[ndarray, "T M 3"], camera: Camera) -> Float[ndarray, "T M 2 3"]:
    inverse_z = 1 / points[..., 2]
    J = np.zeros((*points.shape[:2], 2, 3))
    J[..., 0, 0] = J[..., 1, 1] = camera.focal_px * inverse_z
    J[..., 0, 2] = -camera.focal_px * points[..., 0] * inverse_z**2
    J[..., 1, 2] = -camera.focal_px * points[..., 1] * inverse_z**2
    return J


def _add_flow(
    diagonal: Float[ndarray, "T 6 6"],
    neighbour: Float[ndarray, "T1 6 6"],
    gradient: Float[ndarray, "T 6"],
    J_pose: Float[ndarray, "T M 2 6"],
    projected: Float[ndarray, "T M 2"],
    flow: FlowField,
    sigma_px: float,
) -> None:
    error, weight = _flow_error(projected, flow, sigma_px)
    J_next, J_this = J_pose[1:], J_pose[:-1]
    diagonal[1:] += np.einsum("tmia,tmib,tm->tab", J_next, J_next, weight)
    diagonal[:-1] += np.einsum("tmia,tmib,tm->tab", J_this, J_this, weight)
    neighbour -= np.einsum("tmia,tmib,tm->tab", J_next, J_this, weight)
    gradient[1:] += np.einsum("tmia,tmi,tm->ta", J_next, error, weight)
    gradient[:-1] -= np.einsum("tmia,tmi,tm->ta", J_this, error, weight)


def _to_banded(diagonal: Float[ndarray, "T 6 6"], neighbour: Float[ndarray, "T1 6 6"]) -> Float[ndarray, "13 n"]:
    """Lower banded form of `scipy.linalg.solveh_banded`."""
    n = 6 * len(diagonal)
    banded = np.zeros((BANDWIDTH + 1, n))
    for row in range(6):
        for column in range(row + 1):
            banded[row - column, column::6] += diagonal[:, row, column]
        for column in range(6):
            banded[6 + row - column, column : n - 6 : 6] += neighbour[:, row, column]
    return banded


def _add_acceleration(
    banded: Float[ndarray, "13 n"],
    gradient: Float[ndarray, "T 6"],
    track: RigidTrack,
    camera: Camera,
    sigma_px: float,
    cuts: Sequence[int],
) -> None:
    """Huber prior on second differences, scaled so that every unknown counts in px of image motion."""
    depth = track.xyz[:, 2].mean()
    px = camera.focal_px / depth
    scale = np.array([px, px, px, px, px, 0.5 * px / depth]) / sigma_px
    pose = np.concatenate([track.w, track.xyz], 1)
    acceleration = pose[:-2] - 2 * pose[1:-1] + pose[2:]
    weight = scale**2 / np.maximum(1.0, np.abs(acceleration * scale) / 2)
    for cut in cuts:
        weight[max(cut - 2, 0) : cut] = 0
    stencil = (1.0, -2.0, 1.0)
    n_frames = len(pose)
    for i in range(3):
        gradient[i : n_frames - 2 + i] += stencil[i] * acceleration * weight
        for j in range(i + 1):
            for a in range(6):
                banded[6 * (i - j), 6 * np.arange(j, n_frames - 2 + j) + a] += stencil[i] * stencil[j] * weight[:, a]


def _add_flow_to_shape(
    coupling: Float[ndarray, "T 6 M 3"],
    blocks: Float[ndarray, "M 3 3"],
    shape_gradient: Float[ndarray, "M 3"],
    J_pose: Float[ndarray, "T M 2 6"],
    J_shape: Float[ndarray, "T M 2 3"],
    projected: Float[ndarray, "T M 2"],
    flow: FlowField,
    weights: Weights,
) -> None:
    """What flow says of the shape: points at other depths move differently when the head turns."""
    error, weight = _flow_error(projected, flow, weights.flow_px)
    change = J_shape[1:] - J_shape[:-1]
    coupling[1:] += np.einsum("tmia,tmib,tm->tamb", J_pose[1:], change, weight)
    coupling[:-1] -= np.einsum("tmia,tmib,tm->tamb", J_pose[:-1], change, weight)
    blocks += np.einsum("tmia,tmib,tm->mab", change, change, weight)
    shape_gradient += np.einsum("tmia,tmi,tm->ma", change, error, weight)


def _flow_error(
    projected: Float[ndarray, "T M 2"], flow: FlowField, sigma_px: float
) -> tuple[Float[ndarray, "T1 M 2"], Float[ndarray, "T1 M"]]:
    """Predicted minus measured flow, and its robust weight."""
    error = projected[1:] - projected[:-1] - flow.flow
    norm = np.linalg.norm(error, axis=-1)
    return error, flow.trusted / sigma_px**2 / np.maximum(1.0, norm / (2 * sigma_px))


def _schur_step(
    banded: Float[ndarray, "13 n"],
    gradient: Float[ndarray, "T 6"],
    coupling: Float[ndarray, "T 6 M 3"],
    blocks: Float[ndarray, "M 3 3"],
    shape_gradient: Float[ndarray, "M 3"],
) -> tuple[Float[ndarray, " n"], Float[ndarray, "M 3"]]:
    """Eliminate the poses, solve for the shape, substitute back."""
    n_frames, n_points = coupling.shape[0], coupling.shape[2]
    flat = coupling.reshape(6 * n_frames, 3 * n_points)
    shape_matrix = np.zeros((n_points, 3, n_points, 3))
    shape_matrix[np.arange(n_points), :, np.arange(n_points)] = blocks
    solved = solveh_banded(banded, np.column_stack([gradient.reshape(-1), flat]), lower=True)
    reduced = shape_matrix.reshape(3 * n_points, 3 * n_points) - flat.T @ solved[:, 1:]
    point_step = -np.linalg.solve(reduced + 1e-6 * np.eye(3 * n_points), shape_gradient.ravel() - flat.T @ solved[:, 0])
    pose_step = -(solved[:, 0] + solved[:, 1:] @ point_step)
    return pose_step, point_step.reshape(n_points, 3)

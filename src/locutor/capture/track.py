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

from locutor.capture.equations import (
    add_acceleration,
    couple,
    eliminate_poses,
    pose_jacobian,
    shape_jacobian,
    shape_system,
    to_banded,
    vectors_from_turns,
)
from locutor.core.camera import Camera
from locutor.core.clock import FPS
from locutor.geometry.rotation import matrix_from_rotvec

SHAPE_FRAMES = 1000  # of which the shape is learnt


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
        return self.points @ np.swapaxes(self.R_world_head, 1, 2)

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
    """Gauss-Newton on the poses (and on the shape when `weights.shape` is set; then `flow` must not be given).

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


def refine_with_shape(
    track: RigidTrack,
    landmarks_px: Float[ndarray, "T M 2"],
    trust: Float[ndarray, "T M"],
    camera: Camera,
    weights: Weights,
    iterations: int,
    cuts: Sequence[int] = (),
) -> RigidTrack:
    """Poses, shape and how far each landmark strays.

    Of long clips the shape is learnt from seconds spread over the clip, `SHAPE_FRAMES` in all: more frames do not make
    it better, and the elimination of the poses costs 200 right-hand sides. The poses of all frames follow.
    """
    n_frames = len(track.w)
    if n_frames <= SHAPE_FRAMES:
        return refine(track, landmarks_px, trust, camera, weights, None, iterations, True, cuts)
    starts = np.linspace(0, n_frames - FPS, SHAPE_FRAMES // FPS).astype(int)
    sample = (starts[:, None] + np.arange(FPS)).ravel()
    seams = sorted({*range(FPS, len(sample), FPS), *np.searchsorted(sample, cuts).tolist()} - {0, len(sample)})
    part = replace(track, w=track.w[sample], xyz=track.xyz[sample])
    part = refine(part, landmarks_px[sample], trust[sample], camera, weights, None, iterations, True, seams)
    track = replace(track, points=part.points, sigma_px=part.sigma_px)
    return refine(track, landmarks_px, trust, camera, replace(weights, shape=None), None, iterations, False, cuts)


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
    R = track.R_world_head
    rotated = track.points @ np.swapaxes(R, 1, 2)
    J = pose_jacobian(rotated, track.xyz, camera)
    norm = np.linalg.norm(error, axis=-1)
    weight = trust / (weights.landmark_scale * track.sigma_px) ** 2 / np.maximum(1.0, norm / (2.5 * track.sigma_px))
    pull = weight[..., None] * error
    neighbour = np.zeros((len(R) - 1, 6, 6))
    if flow is not None:
        flow_error, flow_weight = _flow_error(track.project(camera), flow, weights.flow_px)
        weight[1:] += flow_weight
        weight[:-1] += flow_weight
        pull[1:] += flow_weight[..., None] * flow_error
        pull[:-1] -= flow_weight[..., None] * flow_error
        neighbour -= (J[1:] * np.tile(flow_weight, 2)[:, None]) @ np.swapaxes(J[:-1], 1, 2)
    rows = np.concatenate([pull[..., 0], pull[..., 1]], 1)
    JW = J * np.tile(weight, 2)[:, None]
    to_vectors = vectors_from_turns(track.w)
    to_turns = np.swapaxes(to_vectors, 1, 2)
    gradient = (to_turns @ (J @ rows[..., None]))[..., 0]
    diagonal = to_turns @ (JW @ np.swapaxes(J, 1, 2)) @ to_vectors
    banded = to_banded(diagonal, to_turns[1:] @ neighbour @ to_vectors[:-1])
    if weights.acceleration_px is not None:
        pose = np.concatenate([track.w, track.xyz], 1)
        add_acceleration(banded, gradient, pose, camera.focal_px, weights.acceleration_px, cuts)
    banded[0] += 1e-6

    points = track.points
    if weights.shape is None:
        pose_step = -solveh_banded(banded, gradient.ravel(), lower=True)
    else:
        sigma_shape = np.array([weights.shape, weights.shape, weights.depth or weights.shape])
        S = shape_jacobian(J, R)
        system = shape_system(S, weight, rows, points - start_points, sigma_shape)
        pose_step, shape_step = eliminate_poses(banded, gradient, couple(JW, S, to_turns), *system)
        points = points + shape_step.reshape(3, -1).T
    pose_step = pose_step.reshape(-1, 6)
    return replace(track, w=track.w + pose_step[:, :3], xyz=track.xyz + pose_step[:, 3:], points=points)


def _flow_error(
    projected: Float[ndarray, "T M 2"], flow: FlowField, sigma_px: float
) -> tuple[Float[ndarray, "T1 M 2"], Float[ndarray, "T1 M"]]:
    """Predicted minus measured flow, and its robust weight."""
    error = projected[1:] - projected[:-1] - flow.flow
    norm = np.linalg.norm(error, axis=-1)
    return error, flow.trusted / sigma_px**2 / np.maximum(1.0, norm / (2 * sigma_px))

"""Where the Gaussians start: on pixels of a few frames, at depths that the face mesh suggests."""

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float, Float32
from numpy import ndarray
from scipy.interpolate import LinearNDInterpolator
from torch import Tensor

from locutor.capture.performance import Performance
from locutor.capture.stabilise import landmarks_in_head
from locutor.core.camera import Camera
from locutor.core.face import LIP_GAP_ROWS, LIPS_INNER, RIGID
from locutor.fit.mesh_motion import N_MESH, MeshMotion
from locutor.geometry.rotation import matrix_from_wxyz, rotvec_from_matrix
from locutor.splat.bodies import CanonicalGaussians

FRONT_SHARE = 0.55  # of the Gaussians start on the reference frame, the rest on five extreme poses
ON_FACE = 5.0  # initial logit of the attachment: surely head
MOUTH_DEPTH = 0.13  # how far behind the lips the inside of the mouth starts
# The head behind the face as an ellipsoid about the face's centre (width, height, depth), raised, its middle behind the
# landmarks before the ears.
HEAD_RADII = (0.94, 1.5, 1.05)
HEAD_RAISED, HEAD_BEHIND_EARS = 0.17, 0.17
# Depth of neck and clothes behind the landmarks before the ears, by the distance from the person's outline: fitted to
# eight performers (heads and shoulders of scanned people), .07 off in the median.
BODY_FRONT, BODY_ROUND, BODY_EDGE = -0.36, 0.66, 0.42
BEHIND_CHIN = 0.15


@dataclass(frozen=True)
class Start:
    """What training starts from.

    Attributes:
        gaussians: those attached to the head come first; on the face, as it is where all controls are 0.
        follows: displacement of each when a control of the face grows by 1 (see `MeshMotion`), inter-ocular units.
    """

    gaussians: CanonicalGaussians
    follows: Float[Tensor, "J 3 N"]


@dataclass(frozen=True)
class _View:
    """One frame and what is known about it."""

    rgb: Float32[ndarray, "H W 3"]
    density: Float32[ndarray, "H W"]  # of starting points, sums to 1
    inside_px: Float32[ndarray, "H W"]  # distance from the person's outline
    mesh_px: Float32[ndarray, "468 2"]
    mesh_depth: Float32[ndarray, " 468"]
    R_world_head: Float[ndarray, "3 3"]
    head_xyz: Float[ndarray, " 3"]
    R_world_torso: Float[ndarray, "3 3"]
    torso_xyz: Float[ndarray, " 3"]
    controls: Float[ndarray, " J"]  # the face's, see `MeshMotion`


def initial_gaussians(
    performance: Performance, mesh_motion: MeshMotion, n_gaussians: int, n_mouth: int, seed: int
) -> Start:
    """Gaussians for the first iteration, and how they follow the face mesh."""
    rng = np.random.default_rng(seed)
    parts = []
    frames = _pose_frames(performance)
    n_front = round(FRONT_SHARE * n_gaussians)
    for place, k in enumerate(frames):
        n = n_front if place == 0 else (n_gaussians - n_front) // (len(frames) - 1)
        logit_opacity = 1.4 if place == 0 else -0.5
        view = _view(performance, mesh_motion, k, inside_mouth=False)
        parts.append(_start_on_view(performance, mesh_motion, view, n, logit_opacity, False, rng))
    for k in _open_mouth_frames(performance):
        view = _view(performance, mesh_motion, k, inside_mouth=True)
        if view.density.sum() > 0:
            parts.append(_start_on_view(performance, mesh_motion, view, n_mouth // 4, -0.5, True, rng))
    table = np.concatenate(parts)
    table = table[np.argsort(table[:, 14] <= 0, kind="stable")]
    columns = torch.from_numpy(table.astype(np.float32))
    gaussians = CanonicalGaussians(
        means=columns[:, 0:3].contiguous(),
        quats=columns[:, 3:7].contiguous(),
        log_scales=columns[:, 7:10].contiguous(),
        logit_opacities=columns[:, 10].contiguous(),
        colors=columns[:, 11:14].contiguous(),
        logit_attachment=columns[:, 14].contiguous(),
    )
    return Start(gaussians, columns[:, 15:].reshape(len(columns), -1, 3).permute(1, 2, 0).contiguous())


def _pose_frames(performance: Performance) -> list[int]:
    """The reference frame, then the frames turned furthest up, down, left, right, and furthest away."""
    tracking = performance.tracking
    motion = tracking.motion[: performance.n_train]
    R_reference = matrix_from_wxyz(tracking.reference_wxyz)
    head_wxyz, head_xyz, valid = motion.require("head_wxyz", "head_xyz", "valid")
    R = matrix_from_wxyz(head_wxyz)
    turn = rotvec_from_matrix(R @ R_reference.T)
    away = np.linalg.norm(R - R_reference, axis=(1, 2)) + np.linalg.norm(head_xyz - tracking.reference_xyz, axis=1)
    away = np.where(valid, away, 0)
    turn = np.where(valid[:, None], turn, 0)
    extremes = (turn[:, 0].argmax(), turn[:, 0].argmin(), turn[:, 1].argmax(), turn[:, 1].argmin(), away.argmax())
    return [tracking.reference_frame, *(int(k) for k in extremes)]


def _open_mouth_frames(performance: Performance) -> list[int]:
    """Four frames among the widest open."""
    tracking = performance.tracking
    (face,) = tracking.motion[: performance.n_train].require("face")
    upper, lower = LIP_GAP_ROWS
    by_gap = np.argsort(face[:, upper, 1] - face[:, lower, 1])
    return [int(by_gap[min(rank, len(by_gap) - 1)]) for rank in (0, 5, 20, 60)]


def _view(performance: Performance, mesh_motion: MeshMotion, k: int, inside_mouth: bool) -> _View:
    tracking, camera = performance.tracking, performance.camera
    names = ("head_wxyz", "head_xyz", "torso_wxyz", "torso_xyz")
    head_wxyz, head_xyz, torso_wxyz, torso_xyz = (c[k].astype(np.float64) for c in tracking.motion.require(*names))
    R_world_head = matrix_from_wxyz(head_wxyz)
    landmarks = tracking.landmarks[k : k + 1]
    rigid = tracking.neutral[list(RIGID)].astype(np.float64)
    in_head = landmarks_in_head(landmarks, R_world_head[None], head_xyz[None], rigid, camera)[0, :N_MESH]
    mesh_depth = (in_head @ R_world_head.T + head_xyz)[:, 2]
    mesh_px = landmarks[0, :N_MESH, :2]
    rgb = performance.frames.rgb(k)
    if inside_mouth:
        hole = mesh_px[list(LIPS_INNER)].astype(np.int32)
        density = cv2.fillPoly(np.zeros(rgb.shape[:2], np.uint8), [hole], 1).astype(np.float32)
    else:
        density = _detail(performance, k, mesh_px)
    return _View(
        rgb=rgb.astype(np.float32) / 255,
        density=density / max(density.sum(), 1e-9),
        inside_px=cv2.distanceTransform((performance.matte(k) > 127).astype(np.uint8), cv2.DIST_L2, 5),
        mesh_px=mesh_px,
        mesh_depth=mesh_depth.astype(np.float32),
        R_world_head=R_world_head,
        head_xyz=head_xyz,
        R_world_torso=matrix_from_wxyz(torso_wxyz),
        torso_xyz=torso_xyz,
        controls=mesh_motion.controls[k],
    )


def _detail(performance: Performance, k: int, mesh_px: Float32[ndarray, "468 2"]) -> Float32[ndarray, "H W"]:
    """Starting points go where the person is, more of them on edges and on the face."""
    person = cv2.dilate(performance.matte(k), np.ones((7, 7), np.uint8)) > 60
    grey = performance.frames.grey(k).astype(np.float32)
    gradient = np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1))
    gradient = cv2.GaussianBlur(gradient, (0, 0), 1.5)
    hull = cv2.convexHull(mesh_px.astype(np.int32))
    face = cv2.fillConvexPoly(np.zeros(grey.shape, np.uint8), hull, 1)
    return person * (0.15 + np.minimum(gradient / 60, 1)) * (1 + 2 * face)


def _start_on_view(
    performance: Performance,
    mesh_motion: MeshMotion,
    view: _View,
    n: int,
    logit_opacity: float,
    inside_mouth: bool,
    rng: np.random.Generator,
) -> Float[ndarray, "n C"]:
    camera, neutral = performance.camera, performance.tracking.neutral
    width = view.density.shape[1]
    density = view.density.ravel().astype(np.float64)
    n_pixels = int((density > 0).sum())
    pixel = rng.choice(density.size, n, p=density / density.sum(), replace=inside_mouth or n > n_pixels)
    u, v = pixel % width + rng.random(n), pixel // width + rng.random(n)
    # Points this dense are this far apart.
    spacing_px = np.full(n, 2.5) if inside_mouth else np.sqrt(1 / (n * density[pixel] + 1e-9))

    on_mesh = LinearNDInterpolator(view.mesh_px, view.mesh_depth)(u, v)
    on_face = ~np.isnan(on_mesh)
    at_head_depth = _unproject(u, v, np.full(n, view.head_xyz[2]), camera)
    in_head = (at_head_depth - view.head_xyz) @ view.R_world_head
    inside = view.inside_px[pixel // width, pixel % width] * view.head_xyz[2] / camera.focal_px
    depth = np.where(on_face, on_mesh, _depth_off_face(in_head, inside, neutral, view.head_xyz[2]))
    if inside_mouth:
        depth = depth + MOUTH_DEPTH
    attachment = _initial_attachment(in_head, neutral, on_face)
    share = 1 / (1 + np.exp(-attachment))[:, None]
    blend_R = share[:, :, None] * view.R_world_head + (1 - share)[:, :, None] * view.R_world_torso
    blend_xyz = share * view.head_xyz + (1 - share) * view.torso_xyz
    means = np.linalg.solve(blend_R, (_unproject(u, v, depth, camera) - blend_xyz)[..., None])[..., 0]
    follows = mesh_motion.at(np.stack([u, v], 1), view.mesh_px, camera.focal_px / view.head_xyz[2])
    follows *= np.where(attachment > 0, share[:, 0], 0)[:, None, None]
    if inside_mouth:  # teeth and tongue do not hang between the lips
        follows[:] = 0
    means = means - np.einsum("njc,j->nc", follows, view.controls)
    log_scale = np.log(np.clip(spacing_px * 0.62, 0.5, 6) * depth / camera.focal_px)
    return np.concatenate(
        [
            means,
            np.tile([1.0, 0, 0, 0], (n, 1)),
            np.repeat(log_scale[:, None], 3, 1),
            np.full((n, 1), logit_opacity),
            view.rgb.reshape(-1, 3)[pixel],
            attachment[:, None],
            follows.reshape(n, 3 * follows.shape[1]),
        ],
        1,
    )


def _unproject(u: ndarray, v: ndarray, depth: ndarray, camera: Camera) -> Float[ndarray, "n 3"]:
    return np.stack([(u - camera.cx) * depth / camera.focal_px, (v - camera.cy) * depth / camera.focal_px, depth], -1)


def _depth_off_face(
    in_head: Float[ndarray, "n 3"],
    inside: Float[ndarray, " n"],
    neutral: Float32[ndarray, "478 3"],
    head_depth: float,
) -> Float[ndarray, " n"]:
    """Skull and hair on an ellipsoid; neck and clothes as round as bodies are.

    Args:
        in_head: places at the head's depth, head frame.
        inside: how far inside the person's outline each lies, inter-ocular units.
        neutral: the person's landmarks.
        head_depth: of the head's origin in the world.
    """
    mesh = neutral[:N_MESH]
    centre = mesh.mean(0)
    ears_z = mesh[[127, 356], 2].mean()
    radius2 = ((in_head[:, 0] - centre[0]) / HEAD_RADII[0]) ** 2 + (
        (in_head[:, 1] - centre[1] + HEAD_RAISED) / HEAD_RADII[1]
    ) ** 2
    head = ears_z + HEAD_BEHIND_EARS - HEAD_RADII[2] * np.sqrt(np.clip(1 - radius2, 0.02, 1))
    round_body = ears_z + BODY_FRONT + BODY_ROUND * np.exp(-inside / BODY_EDGE)
    body = np.maximum(round_body, mesh[152, 2] + BEHIND_CHIN)
    return head_depth + np.where(in_head[:, 1] > mesh[152, 1] - 0.11, body, head)


def _initial_attachment(
    in_head: Float[ndarray, "n 3"], neutral: Float32[ndarray, "478 3"], on_face: Bool[ndarray, " n"]
) -> Float[ndarray, " n"]:
    """Logit: the face is head, shoulders are torso, the neck is in between."""
    chin_y, face_height = neutral[152, 1], neutral[152, 1] - neutral[10, 1]
    down = np.clip((in_head[:, 1] - (chin_y - 0.25 * face_height)) / (0.55 * face_height), 0, 1)
    logit = np.where(on_face, ON_FACE, 4 - 9 * down)
    centre = neutral[:N_MESH].mean(0)
    shoulder = (np.abs(in_head[:, 0] - centre[0]) > 1.0) & (in_head[:, 1] > centre[1] + 0.33)
    return np.where(shoulder & ~on_face, -ON_FACE, logit)

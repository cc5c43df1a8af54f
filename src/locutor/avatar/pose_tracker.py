"""Head and torso poses of footage, refined with the finished avatar.

A tracker without an avatar is right to a fraction of a pixel; what is left costs 1 dB and more. Here every frame of the
footage is compared with what the avatar draws, and 14 unknowns (turn and shift of head and torso, the shoulders) are
moved by Gauss-Newton steps. All frames are solved at once, with a prior on the size and on the acceleration of the
corrections. The mouth is masked out: what the lips do must not leak into the pose.

The face's landmarks were seen in the picture. When the head's pose moves under them, their displacement from the
neutral face changes by as much the other way; otherwise lips that were right would be shifted along with the head.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from functools import partial

import cv2
import numpy as np
from jaxtyping import Float, UInt8
from numpy import ndarray
from scipy.linalg import solveh_banded

from locutor.avatar.avatar import Avatar, as_background, body_pose
from locutor.avatar.footage import CORRELATED_PX, HEAD_OUTLIER, NOISE_LEVELS, Footage
from locutor.avatar.torso import shoulders_of
from locutor.core.camera import Camera
from locutor.core.events import Event, Progress
from locutor.core.motion import Motion
from locutor.core.parallel import map_in_order
from locutor.geometry.rotation import matrix_from_rotvec, matrix_from_wxyz, wxyz_from_rotvec, wxyz_product
from locutor.splat.engine import Engine, default_engine
from locutor.splat.renderer import NativeRenderer

# Head turn (rad), head shift (inter-ocular units), torso turn, torso shift, both shoulders' shift.
N_UNKNOWNS = 14
PARTS = (3, 6, 9, 12)  # where one ends and the next begins
STAGE = "refining poses"
# What one step of the difference quotient moves, and what a correction is expected to be: turn x, y, z and shift
# x, y, z of head and torso; shoulders.
STEP = np.array([0.006, 0.006, 0.006, 0.005, 0.005, 0.03] * 2 + [0.008] * 2)
EXPECTED = np.array([0.01, 0.01, 0.01, 0.01, 0.01, 0.04] + [0.01, 0.01, 0.01, 0.02, 0.02, 0.06] + [0.01] * 2)
EXPECTED_ACCELERATION = 0.4  # of a correction per frame and frame, as a share of `EXPECTED`


@dataclass(frozen=True)
class Round:
    """One Gauss-Newton step of all frames.

    Attributes:
        scale: of the pictures that are compared.
        unknowns: which ones move.
        torso_outlier: grey levels above which a difference on the torso counts less; on the head `HEAD_OUTLIER`.
    """

    scale: float
    unknowns: slice
    torso_outlier: float


HEAD, TORSO, BOTH = slice(0, 6), slice(6, 14), slice(0, 14)
# The torso may be off by a whole collar and comes near in small pictures; small pictures mislead the head.
ROUNDS = (*[Round(0.5, TORSO, 40.0)] * 2, *[Round(1.0, BOTH, 20.0)] * 2)


def refine_poses(avatar: Avatar, motion: Motion, footage: Footage) -> Generator[Event, None, Motion]:
    """The same motion with head and torso poses under which the avatar looks most like the footage.

    Args:
        avatar: who is in the footage.
        motion: as tracked; needs `face`, `head` and `torso`.
        footage: the frames of the motion.

    Returns:
        The refined motion (as the generator's return value); yields progress.
    """
    corrections = yield from fit_corrections(avatar, motion, footage, ROUNDS)
    return corrected_motion(motion, corrections, footage.points)


def fit_corrections(
    avatar: Avatar, motion: Motion, footage: Footage, rounds: Sequence[Round]
) -> Generator[Event, None, Float[ndarray, "T 14"]]:
    """What to move the poses of `motion` by, see `corrected_motion` and `refine_poses`; yields progress."""
    started = time.monotonic()
    n = len(motion)
    corrections = np.zeros((n, N_UNKNOWNS))
    for done, step in enumerate(rounds):
        draw = _Draughtsman(avatar, step.scale)
        equations = partial(_equations, avatar, draw, step, motion, footage, corrections)
        found = []
        for pair in map_in_order(equations, range(n), default_engine().threads):
            found.append(pair)
            if len(found) % 10 == 0:
                yield Progress(STAGE, done * n + len(found), len(rounds) * n, time.monotonic() - started)
        H, g = (np.stack(parts) for parts in zip(*found, strict=True))
        corrections = corrections + _solve(H, g, corrections, step.unknowns)
    yield Progress(STAGE, len(rounds) * n, len(rounds) * n, time.monotonic() - started)
    return corrections


def corrected_motion(motion: Motion, corrections: Float[ndarray, "T 14"], points: Float[ndarray, "T 120 3"]) -> Motion:
    """Poses and shoulders moved by the unknowns; turns are about the body's own origin.

    Args:
        motion: as tracked.
        corrections: the unknowns of every frame.
        points: as in `Footage`; they stay where they are in the picture, and the face changes accordingly.
    """
    head_turn, head_shift, torso_turn, torso_shift, rise = np.split(corrections, PARTS, axis=1)
    head_wxyz, head_xyz, torso_wxyz, torso_xyz = motion.require("head_wxyz", "head_xyz", "torso_wxyz", "torso_xyz")
    R, turn = matrix_from_wxyz(head_wxyz), matrix_from_rotvec(head_turn)
    (face,) = motion.require("face")
    return motion.with_channels(
        face=(face + _drift(points, R, head_xyz, turn @ R, head_shift)).astype(np.float32),
        head_wxyz=_turned(head_wxyz, head_turn),
        head_xyz=(head_xyz + head_shift).astype(np.float32),
        torso_wxyz=_turned(torso_wxyz, torso_turn),
        torso_xyz=(torso_xyz + torso_shift).astype(np.float32),
        shoulders=(shoulders_of(motion) + rise).astype(np.float32),
    )


def _drift(
    points: Float[ndarray, "T P 3"],
    R_before: Float[ndarray, "T 3 3"],
    xyz_before: Float[ndarray, "T 3"],
    R_after: Float[ndarray, "T 3 3"],
    shift: Float[ndarray, "T 3"],
) -> Float[ndarray, "T P 2"]:
    """How far points that stay on their rays move in the head frame (x, y) when the head's pose changes."""
    world = points @ R_before.swapaxes(1, 2) + xyz_before[:, None]
    world = world * (1 + shift[:, None, 2:] / world[..., 2:])
    after = (world - (xyz_before + shift)[:, None]) @ R_after
    return (after - points)[..., :2]


def _turned(wxyz: Float[ndarray, "T 4"], turn: Float[ndarray, "T 3"]) -> Float[ndarray, "T 4"]:
    return wxyz_product(wxyz_from_rotvec(turn), wxyz).astype(np.float32)


class _Draughtsman:
    """Draws the avatar in grey, at a scale of the footage; one thread a call."""

    def __init__(self, avatar: Avatar, scale: float) -> None:
        full = avatar.camera
        self._size = (round(scale * full.width), round(scale * full.height))
        camera = Camera(*self._size, full.focal_px * scale, full.cx * scale, full.cy * scale)
        background = as_background(self.shrunk(avatar.plate))
        alone = Engine(1, default_engine().isa)
        self._renderer = NativeRenderer(avatar.canonical, avatar.bases, camera, background, alone)

    def __call__(self, coefficients: Float[ndarray, " K"], poses: Motion, k: int) -> UInt8[ndarray, "h w"]:
        return cv2.cvtColor(self._renderer.render(coefficients, body_pose(poses, k)), cv2.COLOR_RGB2GRAY)

    def shrunk(self, picture: UInt8[ndarray, "H W *c"]) -> UInt8[ndarray, "h w *c"]:
        """A picture of the footage at the scale."""
        return cv2.resize(picture, self._size, interpolation=cv2.INTER_AREA)


def _equations(
    avatar: Avatar,
    draw: _Draughtsman,
    step: Round,
    motion: Motion,
    footage: Footage,
    corrections: Float[ndarray, "T 14"],
    k: int,
) -> tuple[Float[ndarray, "14 14"], Float[ndarray, " 14"]]:
    """`H = J^T W J` and `g = J^T W (truth - drawn)` of frame k, in units of `EXPECTED`; J by difference quotients."""
    moved = range(N_UNKNOWNS)[step.unknowns]
    tried = np.tile(corrections[k], (1 + len(moved), 1))
    for row, unknown in enumerate(moved, 1):
        tried[row, unknown] += STEP[unknown]
    same = np.full(len(tried), k)
    poses = corrected_motion(motion[same], tried, footage.points[same])
    coefficients = avatar.coefficients(poses).numpy()
    shown = draw.shrunk(footage.hidden(k).astype(np.uint8)) == 0
    drawn = np.stack([draw(coefficients[j], poses, j)[shown] for j in range(len(tried))]).astype(np.float32)
    truth = draw.shrunk(cv2.cvtColor(footage.rgb(k), cv2.COLOR_RGB2GRAY))[shown]
    residual = truth.astype(np.float32) - drawn[0]
    J = np.zeros((N_UNKNOWNS, len(residual)), np.float32)
    J[step.unknowns] = (drawn[1:] - drawn[0]) * (EXPECTED / STEP).astype(np.float32)[step.unknowns, None]
    by_head = (J[HEAD] ** 2).sum(0) > (J[TORSO] ** 2).sum(0)
    levels = np.where(by_head, HEAD_OUTLIER, step.torso_outlier).astype(np.float32)
    weight = 1 / (1 + (residual / levels) ** 2) ** 2 / (NOISE_LEVELS**2 * CORRELATED_PX * step.scale**2)
    weighted = J * weight
    return (weighted @ J.T).astype(np.float64), (weighted @ residual).astype(np.float64)


def _solve(
    H: Float[ndarray, "T 14 14"], g: Float[ndarray, "T 14"], corrections: Float[ndarray, "T 14"], unknowns: slice
) -> Float[ndarray, "T 14"]:
    """The step of all frames at once: normal equations and prior are one banded system."""
    n = len(H)
    now = corrections / EXPECTED
    # Prior: x^2 + (second difference / EXPECTED_ACCELERATION)^2, the same for each of the unknowns.
    second = np.zeros((max(n - 2, 0), n))
    rows = np.arange(max(n - 2, 0))
    for offset, value in ((0, 1.0), (1, -2.0), (2, 1.0)):
        second[rows, rows + offset] = value
    prior = np.eye(n) + second.T @ second / EXPECTED_ACCELERATION**2
    band = np.zeros((2 * N_UNKNOWNS + 1, n * N_UNKNOWNS))  # lower form: band[i - j, j]
    for i in range(N_UNKNOWNS):
        for j in range(i + 1):
            band[i - j, j::N_UNKNOWNS] += H[:, i, j]
        for apart in range(min(3, n)):
            band[apart * N_UNKNOWNS, i : (n - apart) * N_UNKNOWNS : N_UNKNOWNS] += np.diagonal(prior, apart)
    step = solveh_banded(band, (g - prior @ now).reshape(-1), lower=True).reshape(n, N_UNKNOWNS) * EXPECTED
    moved = np.zeros_like(step)
    moved[:, unknowns] = step[:, unknowns]
    return moved

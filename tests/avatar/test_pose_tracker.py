"""Poses are found again in pictures that the avatar itself drew."""

import dataclasses
from collections.abc import Generator
from typing import TypeVar

import numpy as np
import pytest
import torch

from locutor.avatar.avatar import Avatar
from locutor.avatar.field import CodeNetwork
from locutor.avatar.film import film
from locutor.avatar.footage import Footage
from locutor.avatar.pose_tracker import (
    N_UNKNOWNS,
    ROUNDS,
    Round,
    corrected_motion,
    fit_corrections,
    refine_poses,
)
from locutor.avatar.torso import N_TORSO_CONTROLS, TorsoCode
from locutor.capture.performance import Performance
from locutor.capture.stabilise import landmarks_in_head
from locutor.core.events import Event, Progress
from locutor.core.face import FACE_POINTS, RIGID
from locutor.core.motion import Motion
from locutor.geometry.rotation import matrix_from_wxyz, rotvec_from_matrix

N = 6
Result = TypeVar("Result")


def nothing_hidden(avatar: Avatar) -> np.ndarray:
    return np.zeros((avatar.camera.height, avatar.camera.width), bool)


def run(events: Generator[Event, None, Result]) -> tuple[list[Event], Result]:
    seen = []
    while True:
        try:
            seen.append(next(events))
        except StopIteration as end:
            return seen, end.value


@pytest.fixture(scope="module")
def true_motion(performance: Performance) -> Motion:
    return performance.tracking.motion[50 : 50 + N]


def points_under(performance: Performance, motion: Motion) -> np.ndarray:
    """The landmarks of the frames in the head frame that the motion's poses say."""
    tracking = performance.tracking
    R, rigid = matrix_from_wxyz(motion.head_wxyz), tracking.neutral[list(RIGID)]
    in_head = landmarks_in_head(tracking.landmarks[50 : 50 + N], R, motion.head_xyz, rigid, performance.camera)
    return in_head[:, list(FACE_POINTS)]


@pytest.fixture(scope="module")
def points(performance: Performance, true_motion: Motion) -> np.ndarray:
    return points_under(performance, true_motion)


@pytest.fixture(scope="module")
def moved(true_motion: Motion, points: np.ndarray) -> Motion:
    """Poses wrong by about half a pixel, and drifting."""
    drift = np.random.default_rng(1).normal(size=(2, N_UNKNOWNS)) * np.array([*[*[0.008] * 5, 0.02] * 2, 0, 0])
    wrong = drift[0] + np.linspace(-1, 1, N)[:, None] * drift[1]
    return corrected_motion(true_motion, wrong, points)


def test_lost_poses_are_found_again(
    speaking_avatar: Avatar, true_motion: Motion, moved: Motion, performance: Performance
):
    pictures = list(film(speaking_avatar, [true_motion]))
    seen = points_under(performance, moved)
    footage = Footage(pictures.__getitem__, *[lambda k: nothing_hidden(speaking_avatar)] * 2, seen)
    events, found = run(refine_poses(speaking_avatar, moved, footage))
    before, after = (
        np.abs(np.stack(list(film(speaking_avatar, [m]))).astype(float) - pictures).mean() for m in (moved, found)
    )
    assert after < 0.5 * before
    assert (
        np.abs(found.head_xyz - true_motion.head_xyz)[:, :2].mean()
        < 0.5 * np.abs(moved.head_xyz - true_motion.head_xyz)[:, :2].mean()
    )
    assert np.abs(found.face - true_motion.face).mean() < 0.5 * np.abs(moved.face - true_motion.face).mean()
    bars = [e for e in events if isinstance(e, Progress)]
    assert bars[-1].done == bars[-1].total


def test_landmarks_stay_in_the_picture_when_the_pose_moves(
    performance: Performance, true_motion: Motion, moved: Motion
):
    neutral = performance.tracking.neutral[list(FACE_POINTS), :2]
    expected = points_under(performance, moved)[..., :2] - neutral
    assert np.abs(moved.face - true_motion.face).max() > 0.01
    np.testing.assert_allclose(moved.face, expected, atol=3e-3)  # landmark depths are not rigid


def test_right_poses_stay(speaking_avatar: Avatar, true_motion: Motion, points: np.ndarray):
    pictures = list(film(speaking_avatar, [true_motion]))
    _, found = run(
        refine_poses(
            speaking_avatar,
            true_motion,
            Footage(pictures.__getitem__, *[lambda k: nothing_hidden(speaking_avatar)] * 2, points),
        )
    )
    np.testing.assert_allclose(found.head_xyz, true_motion.head_xyz, atol=2e-3)


def test_what_is_hidden_does_not_count(speaking_avatar: Avatar, moved: Motion, true_motion: Motion, points: np.ndarray):
    pictures = list(film(speaking_avatar, [true_motion]))
    mask = nothing_hidden(speaking_avatar)
    mask[: len(mask) // 2] = True
    spoilt = [p.copy() for p in pictures]
    for picture in spoilt:
        picture[mask] = 255 - picture[mask]
    clean, dirty = (
        run(
            fit_corrections(
                speaking_avatar, moved, Footage(seen.__getitem__, *[lambda k: mask] * 2, points), ROUNDS[-1:]
            )
        )[1]
        for seen in (pictures, spoilt)
    )
    np.testing.assert_array_equal(clean, dirty)
    assert np.abs(clean).max() > 1e-3


def test_a_round_moves_its_own_unknowns(
    speaking_avatar: Avatar, moved: Motion, true_motion: Motion, points: np.ndarray
):
    pictures = list(film(speaking_avatar, [true_motion]))
    footage = Footage(pictures.__getitem__, *[lambda k: nothing_hidden(speaking_avatar)] * 2, points)
    _, corrections = run(fit_corrections(speaking_avatar, moved, footage, ROUNDS[:1]))
    assert not corrections[:, :6].any()
    assert np.abs(corrections[:, 6:]).max() > 1e-3


def test_a_correction_turns_about_the_bodys_own_origin(true_motion: Motion, points: np.ndarray):
    turn = np.zeros((N, N_UNKNOWNS))
    turn[:, 1] = 0.02
    turned = corrected_motion(true_motion, turn, points)
    np.testing.assert_array_equal(turned.head_xyz, true_motion.head_xyz)
    R_before, R_after = matrix_from_wxyz(true_motion.head_wxyz), matrix_from_wxyz(turned.head_wxyz)
    np.testing.assert_allclose(rotvec_from_matrix(R_after @ R_before.swapaxes(1, 2)), turn[:, :3], atol=1e-6)
    np.testing.assert_allclose(matrix_from_wxyz(turned.torso_wxyz), matrix_from_wxyz(true_motion.torso_wxyz), atol=1e-6)


def test_shoulders_are_found_where_the_torso_shows_them(
    speaking_avatar: Avatar, true_motion: Motion, points: np.ndarray
):
    torch.manual_seed(0)
    n_face, rows, n = speaking_avatar.bases.shape
    bases = torch.zeros(n_face + 1, rows, len(speaking_avatar.canonical))
    bases[:n_face, :, :n] = speaking_avatar.bases
    bases[n_face, 1, speaking_avatar.canonical.logit_attachment < 0] = 1.0  # what is clothes goes down
    network = CodeNetwork(N_TORSO_CONTROLS, 1).requires_grad_(False)
    network.load_state_dict({name: torch.zeros_like(value) for name, value in network.state_dict().items()})
    network.direct.weight[0, -2] = 1.0
    mean, std = np.zeros(N_TORSO_CONTROLS, np.float32), np.ones(N_TORSO_CONTROLS, np.float32)
    breathing = dataclasses.replace(speaking_avatar, bases=bases, torso=TorsoCode(mean, std, network))
    low = np.zeros((N, 2), np.float32)
    low[:, 0] = 0.02
    pictures = list(film(breathing, [true_motion.with_channels(shoulders=low)]))
    footage = Footage(pictures.__getitem__, *[lambda k: nothing_hidden(breathing)] * 2, points)
    alone = (Round(1.0, slice(12, 14), 40.0),) * 3
    _, corrections = run(fit_corrections(breathing, true_motion, footage, alone))
    np.testing.assert_allclose(corrections[:, 12], 0.02, atol=0.004)
    np.testing.assert_allclose(corrections[:, 13], 0, atol=1e-3)

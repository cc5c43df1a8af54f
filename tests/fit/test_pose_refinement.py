import copy
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from tests.synthetic.performer import CAMERA, person

from locutor.avatar.avatar import Avatar, body_pose
from locutor.avatar.pose_tracker import N_UNKNOWNS, corrected_motion
from locutor.capture.performance import Performance
from locutor.fit.config import TrainConfig
from locutor.fit.frame_feed import feed_frames
from locutor.fit.pose_refinement import FROM_ITERATION, PoseRefiner, corrected, tracked_points
from locutor.fit.training import Training
from locutor.geometry.rotation import matrix_from_rotvec
from locutor.splat.cpu import rasterize
from locutor.splat.photometric import photometric_loss
from locutor.splat.posing import pose_gaussians


def test_no_correction_changes_nothing(performance: Performance):
    pose = body_pose(performance.tracking.motion, 7)
    same = corrected(pose, torch.zeros(N_UNKNOWNS))
    for name, value in vars(pose).items():
        assert torch.equal(getattr(same, name), value)


def test_a_correction_is_a_small_turn_and_a_shift_of_each_body(performance: Performance):
    pose = body_pose(performance.tracking.motion, 7)
    unknowns = torch.tensor([1e-3, -2e-3, 3e-3, 0.1, 0.2, 0.3, -2e-3, 1e-3, 0.5e-3, -0.1, -0.2, -0.3, 0.0, 0.0])
    moved = corrected(pose, unknowns)
    for name, turn, shift in (("head", unknowns[:3], unknowns[3:6]), ("torso", unknowns[6:9], unknowns[9:12])):
        exact = matrix_from_rotvec(turn.numpy().astype(np.float64)) @ getattr(pose, f"R_world_{name}").numpy()
        np.testing.assert_allclose(getattr(moved, f"R_world_{name}"), exact, atol=1e-5)
        torch.testing.assert_close(getattr(moved, f"{name}_xyz"), getattr(pose, f"{name}_xyz") + shift)


def test_the_mean_correction_is_taken_out():
    refiner = PoseRefiner(5)
    refiner.correction = torch.randn(5, N_UNKNOWNS, generator=torch.Generator().manual_seed(0))
    together = torch.stack([refiner.unknowns(k) for k in range(5)])
    torch.testing.assert_close(together.mean(0), torch.zeros(N_UNKNOWNS), atol=1e-6, rtol=0)


def test_only_the_frame_that_was_drawn_moves():
    refiner = PoseRefiner(5)
    refiner.step(2, torch.ones(N_UNKNOWNS), share_done=0.0)
    assert (refiner.correction[2] < 0).all()
    assert not refiner.correction[[0, 1, 3, 4]].any()


def test_steps_get_smaller_towards_the_end():
    def first_step(share_done: float) -> float:
        refiner = PoseRefiner(2)
        refiner.step(0, torch.ones(N_UNKNOWNS), share_done)
        return float(refiner.correction[0].abs().max())

    assert first_step(0.5) == pytest.approx(0.5 * first_step(0.0), rel=1e-3)
    assert first_step(1.0) == pytest.approx(0.1 * first_step(0.0), rel=1e-3)


def test_going_on_from_a_state_is_as_if_nothing_had_happened():
    gradients = torch.randn(6, N_UNKNOWNS, generator=torch.Generator().manual_seed(0))
    straight, first, second = PoseRefiner(3), PoseRefiner(3), PoseRefiner(3)
    for g in gradients:
        straight.step(1, g, 0.2)
    for g in gradients[:3]:
        first.step(1, g, 0.2)
    second.restore(first.state())
    for g in gradients[3:]:
        second.step(1, g, 0.2)
    assert torch.equal(straight.correction, second.correction)


def test_a_wrong_pose_is_drawn_to_the_true_one(performance: Performance):
    """The gradient of the picture finds back a head that was put half a pixel and a degree off."""
    someone = person()
    pose = body_pose(performance.tracking.motion, 0)
    delta = torch.zeros(9, len(someone.canonical))
    background = torch.from_numpy(performance.plate.astype(np.float32) / 255)
    with torch.no_grad():
        target = rasterize(pose_gaussians(someone.canonical, delta, pose), CAMERA, background).rgb
    target = (target.clamp(0, 1) * 255).to(torch.uint8)
    turn = matrix_from_rotvec(np.array([0, 0, np.radians(1)])).astype(np.float32)
    wrong = replace(
        pose,
        head_xyz=pose.head_xyz + torch.tensor([0.02, -0.015, 0.0]),
        R_world_head=torch.from_numpy(turn) @ pose.R_world_head,
    )
    refiner, weight = PoseRefiner(1000), torch.ones(target.shape[:2])
    losses = []
    for _ in range(60):
        unknowns = refiner.unknowns(0).requires_grad_()
        rgb = rasterize(pose_gaussians(someone.canonical, delta, corrected(wrong, unknowns)), CAMERA, background).rgb
        loss = photometric_loss(rgb, target, weight, 0.2).loss
        losses.append(float(loss.detach()))
        loss.backward()
        refiner.step(0, unknowns.grad, 0.0)
    found = corrected(wrong, refiner.unknowns(0))
    assert losses[-1] < 0.4 * losses[0]
    assert (found.head_xyz - pose.head_xyz)[:2].norm() < 0.4 * (wrong.head_xyz - pose.head_xyz)[:2].norm()
    assert (found.R_world_head - pose.R_world_head).norm() < 0.5 * (wrong.R_world_head - pose.R_world_head).norm()


def test_the_shoulders_of_a_frame_follow_the_gradient(performance: Performance):
    raised = replace(
        performance.tracking,
        motion=performance.tracking.motion.with_channels(shoulders=np.zeros((len(performance), 2), np.float32)),
    )
    footage = copy.copy(performance)
    footage.tracking = raised
    training = Training(footage, TrainConfig(n_gaussians=300, n_mouth=20, n_bases=2, n_iterations=1000))
    bases = training.model.torso.bases
    bases += torch.randn(bases.shape, generator=torch.Generator().manual_seed(0))
    training.iteration = FROM_ITERATION
    training.step(next(feed_frames(footage, training.config, 0)))
    moved = training._refiner.correction[:, -2:].abs().amax(1) > 0
    assert moved.sum() == 1
    assert training._refiner.correction[moved].abs().min() > 0


def test_all_frames_at_once_bring_the_torso_back(performance: Performance, speaking_avatar: Avatar, monkeypatch):
    """The torso's track drifts by a few hundredths; the avatar, which is right here, sees it in every fourth frame."""
    drifting = copy.copy(performance)
    n = len(performance)
    wrong = np.zeros((n, N_UNKNOWNS))
    wrong[:, 9] = 0.03 * np.sin(np.linspace(0, 4, n))
    motion = corrected_motion(performance.tracking.motion, wrong, tracked_points(performance))
    drifting.tracking = replace(performance.tracking, motion=motion)
    training = Training(drifting, TrainConfig(n_gaussians=600, n_mouth=20, n_bases=2, n_iterations=10))
    monkeypatch.setattr(training, "avatar", lambda _: speaking_avatar)
    events = list(training.refine_frames())
    torch.testing.assert_close(training._light, torch.ones(performance.n_train, 3), atol=0.01, rtol=0)
    assert events
    found = training._refiner.all_unknowns().numpy()
    truth = (wrong - wrong[: len(found)].mean(0))[: len(found), 9]
    assert np.corrcoef(found[:, 9], -truth)[0, 1] > 0.9
    assert np.abs(found[:, 9] + truth).mean() < 0.5 * np.abs(truth).mean()
    assert not found[:, :6].any()


class Drifting:
    """Frames of a camera whose gain goes up and down, and whose white balance drifts."""

    def __init__(self, performance: Performance) -> None:
        t = np.linspace(0, 1, len(performance))
        self.gains = 1 + np.stack([0.05 * np.sin(5 * t), 0.05 * np.sin(5 * t), 0.04 * t], 1)
        self._frames = performance.frames

    def rgb(self, k: int) -> np.ndarray:
        return (self._frames.rgb(k) * self.gains[k] + 0.5).clip(0, 255).astype(np.uint8)

    def grey(self, k: int) -> np.ndarray:
        return cv2.cvtColor(self.rgb(k), cv2.COLOR_RGB2GRAY)


def test_the_light_of_the_training_frames_is_found(performance: Performance, speaking_avatar: Avatar, monkeypatch):
    """Its mean is the avatar's own: a camera that is always brighter makes a brighter avatar and no gains."""
    footage = copy.copy(performance)
    footage.frames = Drifting(performance)
    training = Training(footage, TrainConfig(n_gaussians=600, n_mouth=20, n_bases=2, n_iterations=10))
    monkeypatch.setattr(training, "avatar", lambda _: speaking_avatar)
    list(training.refine_frames())
    truth = footage.frames.gains[: performance.n_train]
    truth = truth / truth.mean(0)
    light = training._light.numpy()
    np.testing.assert_allclose(light.mean(0), 1, atol=1e-5)
    np.testing.assert_allclose(light, truth, atol=0.012)
    assert np.abs(truth - 1).max() > 0.04


def test_frames_are_learnt_in_their_light(performance: Performance):
    """A frame that is known to be half as red pulls the red of all Gaussians up, where it pulled it nowhere before."""
    training, frames = [], []
    for red in (1.0, 0.5):
        one = Training(performance, TrainConfig(n_gaussians=600, n_mouth=20, n_bases=2, n_iterations=10))
        frame = next(feed_frames(performance, one.config, 0))
        one._light[frame.k] = torch.tensor([red, 1.0, 1.0])
        one.step(frame)
        training.append(one.model.canonical.colors.grad.sum(0))
        frames.append(frame.k)
    usual, dimmed = training
    assert frames[0] == frames[1]
    assert dimmed[0] < usual[0] - 0.5 * usual[0].abs()  # the loss falls when red rises
    torch.testing.assert_close(dimmed[1:], usual[1:])

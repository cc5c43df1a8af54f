import numpy as np
import pytest
import torch

from locutor.avatar.avatar import body_pose
from locutor.capture.performance import Performance
from locutor.core.face import LIPS
from locutor.fit.initial import BEHIND_CHIN, Start, _depth_off_face, initial_gaussians
from locutor.fit.mesh_motion import MeshMotion
from locutor.splat.bodies import CanonicalGaussians
from locutor.splat.cpu import rasterize
from locutor.splat.posing import pose_gaussians

N, N_MOUTH = 2000, 80


@pytest.fixture(scope="module")
def beginning(performance: Performance, mesh_motion: MeshMotion) -> Start:
    return initial_gaussians(performance, mesh_motion, N, N_MOUTH, seed=0)


@pytest.fixture(scope="module")
def start(beginning: Start) -> CanonicalGaussians:
    return beginning.gaussians


def test_as_many_as_asked_for(start):
    assert abs(len(start) - (N + N_MOUTH)) < 10
    assert all(torch.isfinite(t).all() for t in vars(start).values())


def test_the_same_seed_gives_the_same_start(performance: Performance, mesh_motion, start):
    again = initial_gaussians(performance, mesh_motion, N, N_MOUTH, seed=0).gaussians
    other = initial_gaussians(performance, mesh_motion, N, N_MOUTH, seed=1).gaussians
    assert torch.equal(again.means, start.means)
    assert not torch.equal(other.means, start.means)


def test_those_of_the_head_come_first(start):
    of_head = start.logit_attachment > 0
    n_moving = int(of_head.sum())
    assert of_head[:n_moving].all()
    assert 0 < n_moving < len(start)


def test_the_first_picture_already_looks_like_the_reference_frame(performance: Performance, mesh_motion, beginning):
    k = performance.tracking.reference_frame
    truth = performance.frames.rgb(k).astype(float)
    pose = body_pose(performance.tracking.motion, k)
    background = torch.from_numpy(performance.plate.astype(np.float32) / 255)
    start = beginning.gaussians
    delta = torch.zeros(9, len(start))
    delta[:3] = torch.einsum("jcn,j->cn", beginning.follows, torch.from_numpy(mesh_motion.controls[k]).float())
    drawn = rasterize(pose_gaussians(start, delta, pose), performance.camera, background)
    rgb = drawn.rgb.clamp(0, 1).numpy() * 255
    person = performance.matte(k) > 128
    assert np.abs(rgb - truth)[person].mean() < 0.4 * np.abs(performance.plate - truth)[person].mean()
    assert drawn.alpha.numpy()[person].mean() > 0.8
    assert drawn.alpha.numpy()[:20].mean() < 0.05  # nothing above the head


def test_on_the_face_they_lie_on_the_mesh(performance: Performance, start):
    neutral = performance.tracking.neutral
    face = start.means[start.logit_attachment > 4.9].numpy()
    forehead = face[np.hypot(*(face[:, :2] - neutral[[10, 9], :2].mean(0)).T) < 0.3]
    assert len(forehead) > 10
    nearest = np.linalg.norm(forehead[:, None, :2] - neutral[None, :, :2], axis=-1).argmin(1)
    assert np.median(np.abs(forehead[:, 2] - neutral[nearest, 2])) < 0.05


def test_the_chin_follows_the_mouth_and_the_forehead_does_not(performance: Performance, beginning):
    neutral, means = performance.tracking.neutral, beginning.gaussians.means.numpy()
    moved = np.linalg.norm(beginning.follows.numpy(), axis=1).max(0)
    near = {
        name: np.hypot(*(means[:, :2] - neutral[point, :2]).T) < 0.15 for name, point in (("chin", 18), ("brow", 9))
    }
    assert np.median(moved[near["chin"]]) > 20 * np.median(moved[near["brow"]])
    assert not moved[(beginning.gaussians.logit_attachment <= 0).numpy()].any()


def test_some_start_behind_the_lips(performance: Performance, mesh_motion):
    lips = performance.tracking.neutral[list(LIPS)]
    with_mouth = initial_gaussians(performance, mesh_motion, N, 400, seed=0).gaussians
    without = initial_gaussians(performance, mesh_motion, N, 0, seed=0).gaussians

    def n_behind(gaussians: CanonicalGaussians) -> int:
        means = gaussians.means.numpy()
        inside = (np.abs(means[:, :2] - lips.mean(0)[:2]) < (0.25, 0.3)).all(1)
        return int((inside & (means[:, 2] > lips[:, 2].mean() + 0.08)).sum())

    assert n_behind(with_mouth) > n_behind(without) + 250


def test_bodies_are_round(performance: Performance):
    """The outline of neck and clothes lies behind their middle, at any height."""
    neutral = performance.tracking.neutral.copy()
    neutral[152, 2] -= 1  # the chin of this person is as far back as its ears
    below = neutral[152] + np.array([[0.0, 0.5, 0.0]] * 4)
    depth = _depth_off_face(below, np.array([0.05, 0.2, 0.6, 1.5]), neutral, 10.0)
    assert (np.diff(depth) < 0).all()
    assert depth[0] - depth[-1] > 0.4
    flat = _depth_off_face(below, np.full(4, 1.5), performance.tracking.neutral, 10.0)
    assert (flat >= 10 + performance.tracking.neutral[152, 2] + BEHIND_CHIN - 1e-6).all()

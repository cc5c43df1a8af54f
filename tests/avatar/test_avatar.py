import numpy as np
import pytest
import torch
from tests.synthetic.performer import true_avatar

from locutor.avatar.avatar import Avatar, body_pose
from locutor.capture.performance import Performance
from locutor.core.errors import FormatError
from locutor.core.motion import Motion
from locutor.geometry.rotation import matrix_from_wxyz
from locutor.splat.cpu import rasterize
from locutor.splat.motion_field import motion_field_reference
from locutor.splat.posing import pose_gaussians


@pytest.fixture(scope="module")
def avatar() -> Avatar:
    return true_avatar()


def by_torch(avatar: Avatar, motion: Motion) -> np.ndarray:
    """The path that training takes."""
    coefficients = avatar.coefficients(motion)[0]
    delta = motion_field_reference(coefficients, avatar.bases, torch.ones(9), len(avatar.canonical))
    drawn = rasterize(pose_gaussians(avatar.canonical, delta, body_pose(motion, 0)), avatar.camera, avatar.background)
    return (drawn.rgb.clamp(0, 1) * 255 + 0.5).to(torch.uint8).numpy()


@pytest.mark.parametrize("k", [0, 3, 47, 109])
def test_render_is_the_path_of_training_within_two_levels(avatar, performance: Performance, k):
    motion = performance.tracking.motion[k : k + 1]
    assert np.abs(avatar.render(motion).astype(int) - by_torch(avatar, motion)).max() <= 2


def test_render_is_the_footage(avatar, performance: Performance):
    for k in (3, 105):
        error = avatar.render(performance.tracking.motion[k : k + 1]).astype(float) - performance.frames.rgb(k)
        assert np.sqrt((error**2).mean()) < 3


def test_frames_do_not_depend_on_one_another(avatar, performance: Performance):
    motion = performance.tracking.motion
    first = avatar.render(motion[3:4])
    avatar.render(motion[60:61])
    np.testing.assert_array_equal(avatar.render(motion[3:4]), first)


def test_one_frame_and_many_have_the_same_coefficients(avatar, performance: Performance):
    motion = performance.tracking.motion
    together = avatar.coefficients(motion)
    assert together.shape == (len(motion), 2)
    assert not together.requires_grad
    torch.testing.assert_close(avatar.coefficients(motion[40:41])[0], together[40], atol=1e-4, rtol=1e-4)


def test_the_pose_is_that_of_the_frame(performance: Performance):
    motion = performance.tracking.motion
    pose = body_pose(motion, 12)
    np.testing.assert_allclose(pose.R_world_head, matrix_from_wxyz(motion.head_wxyz[12]), atol=1e-6)
    np.testing.assert_allclose(pose.head_xyz, motion.head_xyz[12])
    np.testing.assert_allclose(pose.R_world_torso, matrix_from_wxyz(motion.torso_wxyz[12]), atol=1e-6)


def test_both_quaternions_lie_in_one_hemisphere(performance: Performance):
    motion = performance.tracking.motion
    flipped = motion.with_channels(torso_wxyz=-motion.torso_wxyz)
    pose, same = body_pose(flipped, 5), body_pose(motion, 5)
    assert float(pose.head_wxyz @ pose.torso_wxyz) > 0
    torch.testing.assert_close(pose.torso_wxyz, same.torso_wxyz)


def test_the_sign_of_a_quaternion_does_not_change_the_picture(avatar, performance: Performance):
    motion = performance.tracking.motion[20:21]
    flipped = motion.with_channels(torso_wxyz=-motion.torso_wxyz)
    np.testing.assert_array_equal(avatar.render(flipped), avatar.render(motion))


@pytest.mark.parametrize("name", ["face", "head_xyz", "torso_wxyz"])
def test_a_missing_channel_is_named(avatar, performance: Performance, name):
    with pytest.raises(FormatError, match=name):
        avatar.render(performance.tracking.motion[:1].with_channels(**{name: None}))

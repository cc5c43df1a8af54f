import cv2
import numpy as np
import pytest

from locutor.capture.torso import TorsoTrack, torso_poses, track_torso
from locutor.core.camera import Camera
from locutor.geometry.rotation import matrix_from_rotvec

SIZE = 160
CAMERA = Camera(SIZE, SIZE, 2.34 * SIZE, SIZE / 2, SIZE / 2)
MASK = np.zeros((SIZE, SIZE), np.uint8)
MASK[30:130, 30:130] = 255


def similarity(dx: float, dy: float, angle: float, scale: float) -> np.ndarray:
    """About the middle of the picture, px."""
    A = cv2.getRotationMatrix2D((SIZE / 2, SIZE / 2), -np.degrees(angle), scale)
    A[:, 2] += dx, dy
    return A


def motions(n: int) -> np.ndarray:
    t = np.arange(n)
    return np.stack([similarity(1.5 * np.sin(t / 3), 0.8 * t, 0.02 * t, 1 + 0.01 * t) for t in t])


@pytest.fixture(scope="module")
def cloth() -> np.ndarray:
    noise = cv2.GaussianBlur(np.random.default_rng(0).normal(0, 1, (SIZE, SIZE)).astype(np.float32), (0, 0), 2)
    return (128 + 110 * noise / np.abs(noise).max()).astype(np.uint8)


def warped(cloth: np.ndarray, A: np.ndarray) -> np.ndarray:
    return cv2.warpAffine(cloth, A, (SIZE, SIZE), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)


def corners(A: np.ndarray) -> np.ndarray:
    box = np.array([[40.0, 40], [120, 40], [40, 120], [120, 120]])
    return box @ np.swapaxes(A[..., :2], -1, -2) + A[..., None, :, 2]


def compose(outer: np.ndarray, inner: np.ndarray) -> np.ndarray:
    return np.concatenate([outer[:, :2] @ inner[:, :2], outer[:, :2] @ inner[:, 2:] + outer[:, 2:]], 1)


def test_slide_turn_and_growth_are_followed_both_ways(cloth):
    n, reference = 12, 4
    true = motions(n)
    frames = [warped(cloth, A) for A in true]
    track = track_torso(frames.__getitem__, n, [reference], lambda k: MASK)
    inverse = cv2.invertAffineTransform(true[reference])
    expected = np.stack([compose(A, inverse) for A in true])
    assert np.abs(corners(track.image_motion) - corners(expected)).max() < 0.5
    assert track.inlier_share.min() > 0.7
    np.testing.assert_allclose(track.image_motion[reference], np.eye(2, 3), atol=0.01)


def test_a_frame_without_the_torso_keeps_the_last_pose_and_says_so(cloth):
    frames = [warped(cloth, A) for A in motions(6)]
    frames[3] = np.full_like(cloth, 90)
    track = track_torso(frames.__getitem__, 6, [0], lambda k: MASK)
    assert track.inlier_share[3] == 0
    np.testing.assert_array_equal(track.image_motion[3], track.image_motion[2])
    assert track.inlier_share[[1, 2, 4, 5]].min() > 0.5


def test_a_reference_that_nothing_looks_like_is_given_up(cloth):
    """One frame near the mean pose showed a shadow: 83 % of a real clip was lost from it, nothing from the next."""
    frames = [warped(cloth, A) for A in motions(8)]
    frames[3] = np.rot90(cloth, 2).copy()
    track = track_torso(frames.__getitem__, 8, [3, 5], lambda k: MASK)
    assert track.reference == 5
    assert track.inlier_share[[0, 1, 2, 4, 5, 6, 7]].min() > 0.5
    alone = track_torso(frames.__getitem__, 8, [3], lambda k: MASK)
    assert alone.reference == 3
    assert not alone.is_trusted


def test_plain_clothes_stand_still():
    track = track_torso(lambda k: np.full((SIZE, SIZE), 80, np.uint8), 5, [2], lambda k: MASK)
    np.testing.assert_array_equal(track.image_motion, np.tile(np.eye(2, 3), (5, 1, 1)))
    assert track.inlier_share.sum() == 1


def test_poses_project_to_the_same_image_motion():
    true = motions(15)
    R_reference = matrix_from_rotvec(np.array([0.1, -0.2, 0.05]))
    xyz_reference = np.array([0.3, -0.4, 9.0])
    R, xyz = torso_poses(TorsoTrack(true, np.ones(15)), R_reference, xyz_reference, CAMERA)
    # Points of the torso that lie in the plane of its origin: there the similarity is exact.
    flat = np.array([[-1.5, 0.5, 0], [1.5, 0.5, 0], [0, 2, 0], [0, 0, 0]]) @ R_reference
    at_reference = CAMERA.project(flat @ R_reference.T + xyz_reference)
    for k in range(15):
        seen = CAMERA.project(flat @ R[k].T + xyz[k])
        np.testing.assert_allclose(seen, at_reference @ true[k, :, :2].T + true[k, :, 2], atol=1e-9)


def test_no_motion_is_the_reference_pose():
    still = TorsoTrack(np.tile(np.eye(2, 3), (3, 1, 1)), np.ones(3))
    R_reference = matrix_from_rotvec(np.array([0.1, -0.2, 0.05]))
    R, xyz = torso_poses(still, R_reference, np.array([0.3, -0.4, 9.0]), CAMERA)
    np.testing.assert_allclose(R, np.tile(R_reference, (3, 1, 1)), atol=1e-12)
    np.testing.assert_allclose(xyz, np.tile([0.3, -0.4, 9.0], (3, 1)), atol=1e-12)

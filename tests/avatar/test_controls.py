import numpy as np
import pytest

from locutor.avatar.controls import (
    LIMIT,
    N_CONTROLS,
    N_LIDS,
    N_POSE,
    POSE_LIMIT,
    REGIONS,
    SHUT,
    ControlSpace,
    fit_controls,
)
from locutor.core.errors import FormatError
from locutor.core.face import BROWS_SLICE, EYES_SLICE, FACE_POINTS, LID_PAIRS, MOUTH_SLICE
from locutor.core.motion import Motion
from locutor.geometry.rotation import matrix_from_rotvec, wxyz_from_matrix

R_REFERENCE = matrix_from_rotvec(np.array([0.1, 0.2, -0.1]))
REFERENCE_WXYZ = wxyz_from_matrix(R_REFERENCE).astype(np.float32)
REFERENCE_XYZ = np.float32([0.1, -0.2, 12])


def make_motion(n: int = 80, seed: int = 0) -> Motion:
    rng = np.random.default_rng(seed)
    turn = rng.normal(0, 0.1, (n, 3))
    R = matrix_from_rotvec(turn) @ R_REFERENCE
    return Motion(
        face=rng.normal(0, 0.05, (n, 120, 2)).astype(np.float32),
        head_wxyz=wxyz_from_matrix(R).astype(np.float32),
        head_xyz=(REFERENCE_XYZ + rng.normal(0, 0.2, (n, 3))).astype(np.float32),
    )


@pytest.fixture(scope="module")
def space() -> ControlSpace:
    return fit_controls(make_motion(), REFERENCE_WXYZ, REFERENCE_XYZ)


def test_controls_of_the_training_motion_are_standard(space):
    controls = space.encode(make_motion())
    assert controls.shape == (80, N_CONTROLS)
    assert controls.dtype == np.float32
    unclipped = (space._raw(make_motion()) - space.mean) / space.std
    np.testing.assert_allclose(unclipped.mean(0), 0, atol=1e-3)
    np.testing.assert_allclose(unclipped.std(0), 1, atol=1e-3)
    assert np.abs(controls.mean(0)).max() < 0.03
    assert np.abs(controls.std(0) - 1).max() < 0.03


def test_what_the_footage_never_showed_is_clipped(space):
    wild = make_motion(5, seed=1)
    wild = wild.with_channels(face=wild.face * 100, head_xyz=wild.head_xyz + 50)
    controls = space.encode(wild)
    assert np.abs(controls).max() == np.float32(LIMIT)
    assert (np.abs(controls) < LIMIT).any()
    assert np.abs(controls[:, -N_POSE:]).max() == np.float32(POSE_LIMIT)


def test_each_component_stays_in_its_region(space):
    slices = (MOUTH_SLICE, EYES_SLICE, BROWS_SLICE)
    start = 0
    for (region, n), expected in zip(REGIONS, slices, strict=True):
        assert region == expected
        rows = space.components[start : start + n].reshape(n, 120, 2)
        np.testing.assert_allclose(np.linalg.norm(rows.reshape(n, -1), axis=1), 1, atol=1e-5)
        assert np.abs(np.delete(rows, np.r_[region], axis=1)).max() < 1e-6
        start += n
    assert start + N_LIDS == len(space.components) == N_CONTROLS - N_POSE


def test_a_rare_blink_is_seen_whole():
    motion = make_motion(200)
    face = 0.02 * motion.face
    for up, low in LID_PAIRS[0]:
        face[50, FACE_POINTS.index(up), 1] += 0.05
        face[50, FACE_POINTS.index(low), 1] -= 0.05
    space = fit_controls(motion.with_channels(face=face), REFERENCE_WXYZ, REFERENCE_XYZ)
    right, left = space.encode(motion.with_channels(face=face))[:, -N_POSE - N_LIDS : -N_POSE].T
    assert right[50] == pytest.approx(-SHUT, abs=0.01)
    assert np.abs(np.delete(right, 50)).max() < 0.2
    assert abs(left[50]) < 2.5


def test_the_first_component_is_the_main_movement():
    rng = np.random.default_rng(2)
    pattern = np.zeros((120, 2), np.float32)
    pattern[MOUTH_SLICE] = rng.normal(size=(58, 2))
    pattern /= np.linalg.norm(pattern)
    openness = rng.normal(0, 1, 80).astype(np.float32)
    motion = make_motion().with_channels(face=openness[:, None, None] * pattern + 0.001 * make_motion(seed=3).face)
    space = fit_controls(motion, REFERENCE_WXYZ, REFERENCE_XYZ)
    assert abs(space.components[0] @ pattern.ravel()) > 0.999
    assert abs(np.corrcoef(space.encode(motion)[:, 0], openness)[0, 1]) > 0.999


def test_the_last_controls_are_the_pose_seen_from_the_reference(space):
    still = Motion(face=np.zeros((1, 120, 2), np.float32), head_wxyz=REFERENCE_WXYZ[None], head_xyz=REFERENCE_XYZ[None])
    np.testing.assert_allclose(space._raw(still)[0, -N_POSE:], 0, atol=1e-6)
    turned = wxyz_from_matrix(matrix_from_rotvec(np.array([0, 0.3, 0])) @ R_REFERENCE).astype(np.float32)
    moved = still.with_channels(head_wxyz=turned[None], head_xyz=REFERENCE_XYZ[None] + np.float32([1, 2, 3]))
    np.testing.assert_allclose(space._raw(moved)[0, -N_POSE:], [0, 0.3, 0, 1, 2, 3], atol=1e-5)


def test_the_sign_of_a_quaternion_does_not_matter(space):
    motion = make_motion(6)
    flipped = motion.with_channels(head_wxyz=-motion.head_wxyz)
    np.testing.assert_allclose(space.encode(flipped), space.encode(motion), atol=1e-4)


def test_frames_are_independent(space):
    motion = make_motion(10)
    np.testing.assert_allclose(space.encode(motion)[4:5], space.encode(motion[4:5]), atol=1e-4)


@pytest.mark.parametrize("name", ["face", "head_wxyz", "head_xyz"])
def test_a_missing_channel_is_named(space, name):
    with pytest.raises(FormatError, match=name):
        space.encode(make_motion(3).with_channels(**{name: None}))

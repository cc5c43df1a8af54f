import numpy as np
import torch
from tests.synthetic.performer import take, true_tracking

from locutor.avatar.field import CodeNetwork
from locutor.avatar.torso import (
    LEAST_STD,
    LIMIT,
    N_SHOULDERS,
    N_TORSO_CONTROLS,
    TorsoCode,
    encode_torso,
    torso_controls,
    torso_spread,
)
from locutor.core.motion import Motion
from locutor.geometry.rotation import matrix_from_rotvec, matrix_from_wxyz, wxyz_from_matrix


def moved_together(motion: Motion, turn: np.ndarray, shift: np.ndarray) -> Motion:
    """Head and torso carried by one rigid movement."""
    R = matrix_from_rotvec(turn)

    def carried(wxyz: np.ndarray, xyz: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return wxyz_from_matrix(R @ matrix_from_wxyz(wxyz)).astype(np.float32), (xyz @ R.T + shift).astype(np.float32)

    head_wxyz, head_xyz = carried(motion.head_wxyz, motion.head_xyz)
    torso_wxyz, torso_xyz = carried(motion.torso_wxyz, motion.torso_xyz)
    return motion.with_channels(head_wxyz=head_wxyz, head_xyz=head_xyz, torso_wxyz=torso_wxyz, torso_xyz=torso_xyz)


def test_the_head_is_seen_from_the_torso():
    motion = true_tracking(take(20)).motion
    before = torso_controls(motion)
    after = torso_controls(moved_together(motion, np.array([0.1, -0.2, 0.3]), np.array([1.0, 2.0, 3.0])))
    assert before.shape == (20, N_TORSO_CONTROLS)
    np.testing.assert_allclose(after[:, :6], before[:, :6], atol=1e-5)
    assert np.abs(after[:, 6:-N_SHOULDERS] - before[:, 6:-N_SHOULDERS]).min() > 0.05


def test_what_was_never_seen_is_not_extrapolated():
    motion = true_tracking(take(5)).motion
    far = motion.with_channels(head_xyz=motion.head_xyz + 100)
    mean, std = np.zeros(N_TORSO_CONTROLS, np.float32), np.ones(N_TORSO_CONTROLS, np.float32)
    assert np.abs(encode_torso(far, mean, std)).max() == LIMIT


def test_coefficients_are_the_networks():
    torch.manual_seed(0)
    motion = true_tracking(take(5)).motion
    raw = torso_controls(motion)
    code = TorsoCode(
        raw.mean(0).astype(np.float32), np.ones(N_TORSO_CONTROLS, np.float32), CodeNetwork(N_TORSO_CONTROLS, 3)
    )
    coefficients = code.coefficients(motion)
    torch.testing.assert_close(coefficients[2:3], code.coefficients(motion[2:3]))
    assert not coefficients.requires_grad


def test_shoulders_are_the_last_controls_and_rest_where_nobody_gives_them():
    motion = true_tracking(take(5)).motion
    rise = np.arange(10, dtype=np.float32).reshape(5, 2)
    np.testing.assert_array_equal(torso_controls(motion.with_channels(shoulders=rise))[:, -N_SHOULDERS:], rise)
    assert not torso_controls(motion)[:, -N_SHOULDERS:].any()
    assert (torso_spread(motion)[1][-N_SHOULDERS:] == np.float32(LEAST_STD)).all()


def test_a_code_of_an_earlier_version_has_no_shoulders():
    motion = true_tracking(take(5)).motion
    mean, std = torso_spread(motion)
    earlier = encode_torso(motion, mean[:10], std[:10])
    np.testing.assert_array_equal(earlier, encode_torso(motion, mean, std)[:, :10])

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from locutor.geometry.rotation import (
    inverse_wxyz,
    left_jacobian,
    matrix_from_rotvec,
    matrix_from_wxyz,
    mean_rotation,
    rotvec_from_matrix,
    rotvec_from_wxyz,
    same_hemisphere,
    skew,
    wxyz_from_matrix,
    wxyz_from_rotvec,
    wxyz_product,
)

turns = arrays(np.float64, (3,), elements=st.floats(-1.7, 1.7))  # shorter than pi, so unique


@given(turns)
def test_rotation_vectors_and_back(w):
    np.testing.assert_allclose(rotvec_from_matrix(matrix_from_rotvec(w)), w, atol=1e-9)


@given(turns)
def test_quaternions_and_back(w):
    R = matrix_from_rotvec(w)
    wxyz = wxyz_from_matrix(R)
    assert wxyz[0] >= 0
    np.testing.assert_allclose(np.linalg.norm(wxyz), 1)
    np.testing.assert_allclose(matrix_from_wxyz(3 * wxyz), R, atol=1e-12)
    np.testing.assert_allclose(matrix_from_wxyz(-wxyz), R, atol=1e-12)


@given(turns)
def test_rotations_are_rotations(w):
    R = matrix_from_rotvec(w)
    np.testing.assert_allclose(R @ R.T, np.eye(3), atol=1e-12)
    np.testing.assert_allclose(np.linalg.det(R), 1)


def test_the_scalar_comes_first_and_turns_are_right_handed():
    quarter = matrix_from_rotvec(np.array([0, 0, np.pi / 2]))
    np.testing.assert_allclose(quarter @ [1, 0, 0], [0, 1, 0], atol=1e-12)
    np.testing.assert_allclose(wxyz_from_matrix(quarter), [np.sqrt(0.5), 0, 0, np.sqrt(0.5)], atol=1e-12)


def test_batches_of_any_shape():
    w = np.random.default_rng(0).normal(0, 0.5, (2, 5, 3))
    R = matrix_from_rotvec(w)
    assert R.shape == (2, 5, 3, 3)
    assert wxyz_from_matrix(R).shape == (2, 5, 4)
    np.testing.assert_allclose(rotvec_from_matrix(R), w, atol=1e-9)
    np.testing.assert_allclose(matrix_from_wxyz(wxyz_from_matrix(R)), R, atol=1e-12)
    np.testing.assert_allclose(R[1, 3], matrix_from_rotvec(w[1, 3]))


def test_mean_of_turns_about_one_axis():
    w = np.zeros((5, 3))
    w[:, 1] = [-0.2, -0.1, 0.0, 0.1, 0.7]
    mean = rotvec_from_matrix(mean_rotation(matrix_from_rotvec(w)))
    expected = np.angle(np.exp(1j * w[:, 1]).mean())  # the chordal mean in the plane
    np.testing.assert_allclose(mean, [0, expected, 0], atol=1e-9)


def test_same_hemisphere_only_flips_signs():
    reference = np.array([1.0, 0, 0, 0])
    wxyz = np.array([[0.9, 0.1, 0, 0], [-0.9, 0.1, 0.2, 0], [0.0, 1, 0, 0]])
    flipped = same_hemisphere(wxyz, reference)
    assert (flipped @ reference >= 0).all()
    np.testing.assert_array_equal(flipped, wxyz * [[1], [-1], [1]])


@given(turns, turns)
def test_skew_is_the_cross_product(v, x):
    np.testing.assert_allclose(skew(v) @ x, np.cross(v, x), atol=1e-12)


@given(turns, turns)
def test_left_jacobian_by_finite_differences(w, direction):
    step = 1e-6 * direction
    moved = matrix_from_rotvec(w + step) @ matrix_from_rotvec(w).T
    np.testing.assert_allclose(rotvec_from_matrix(moved), left_jacobian(w) @ step, atol=2e-11)


def test_left_jacobian_at_zero_is_the_identity():
    np.testing.assert_allclose(left_jacobian(np.zeros(3)), np.eye(3), atol=1e-6)


def test_quaternions_without_matrices():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 50, 4))
    R_a, R_b = matrix_from_wxyz(a), matrix_from_wxyz(b)
    product = wxyz_product(a, b)
    np.testing.assert_allclose(matrix_from_wxyz(product), R_a @ R_b, atol=1e-12)
    assert (product[:, 0] >= 0).all()
    np.testing.assert_allclose(matrix_from_wxyz(inverse_wxyz(a)), np.swapaxes(R_a, 1, 2), atol=1e-12)
    np.testing.assert_allclose(rotvec_from_wxyz(a), rotvec_from_matrix(R_a), atol=1e-9)
    np.testing.assert_allclose(rotvec_from_wxyz(-3 * a), rotvec_from_matrix(R_a), atol=1e-9)
    turn = rng.normal(size=(50, 3))
    np.testing.assert_allclose(matrix_from_wxyz(wxyz_from_rotvec(turn)), matrix_from_rotvec(turn), atol=1e-12)
    np.testing.assert_array_equal(rotvec_from_wxyz(wxyz_from_rotvec(np.zeros((2, 3)))), np.zeros((2, 3)))
    small = 1e-12 * turn
    np.testing.assert_allclose(rotvec_from_wxyz(wxyz_from_rotvec(small)), small, rtol=1e-9)

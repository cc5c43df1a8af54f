"""Rotations: matrices R_a_b, quaternions wxyz, rotation vectors in radians."""

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from scipy.spatial.transform import Rotation


def wxyz_from_matrix(R: Float[ndarray, "*batch 3 3"]) -> Float[ndarray, "*batch 4"]:
    """Rotation matrices to unit quaternions (w, x, y, z) with w >= 0."""
    wxyz = Rotation.from_matrix(R.reshape(-1, 3, 3)).as_quat(canonical=True, scalar_first=True)
    return wxyz.reshape(*R.shape[:-2], 4)


def matrix_from_wxyz(wxyz: Float[ndarray, "*batch 4"]) -> Float[ndarray, "*batch 3 3"]:
    """Quaternions (w, x, y, z) of any positive norm to rotation matrices."""
    return Rotation.from_quat(wxyz.reshape(-1, 4), scalar_first=True).as_matrix().reshape(*wxyz.shape[:-1], 3, 3)


def rotvec_from_matrix(R: Float[ndarray, "*batch 3 3"]) -> Float[ndarray, "*batch 3"]:
    """Rotation matrices to rotation vectors (axis times angle, rad)."""
    return Rotation.from_matrix(R.reshape(-1, 3, 3)).as_rotvec().reshape(*R.shape[:-2], 3)


def matrix_from_rotvec(w: Float[ndarray, "*batch 3"]) -> Float[ndarray, "*batch 3 3"]:
    """Rotation vectors (rad) to rotation matrices."""
    return Rotation.from_rotvec(w.reshape(-1, 3)).as_matrix().reshape(*w.shape[:-1], 3, 3)


# The next four are for single frames in a training step, where SciPy's checks cost ten times the arithmetic.


def wxyz_product(a: Float[ndarray, "*batch 4"], b: Float[ndarray, "*#batch 4"]) -> Float[ndarray, "*batch 4"]:
    """Hamilton's product: the rotation b, then a; w >= 0."""
    aw, ax, ay, az = np.moveaxis(a, -1, 0)
    bw, bx, by, bz = np.moveaxis(b, -1, 0)
    product = np.stack(
        [
            aw * bw - ax * bx - ay * by - az * bz,
            aw * bx + ax * bw + ay * bz - az * by,
            aw * by - ax * bz + ay * bw + az * bx,
            aw * bz + ax * by - ay * bx + az * bw,
        ],
        -1,
    )
    return np.where(product[..., :1] < 0, -product, product)


def inverse_wxyz(wxyz: Float[ndarray, "*batch 4"]) -> Float[ndarray, "*batch 4"]:
    """Of unit quaternions."""
    return wxyz * np.array([1, -1, -1, -1], wxyz.dtype)


def wxyz_from_rotvec(w: Float[ndarray, "*batch 3"]) -> Float[ndarray, "*batch 4"]:
    """Rotation vectors (rad) to unit quaternions."""
    half = np.linalg.norm(w, axis=-1, keepdims=True) / 2
    return np.concatenate([np.cos(half), np.sinc(half / np.pi) / 2 * w], -1)


def rotvec_from_wxyz(wxyz: Float[ndarray, "*batch 4"]) -> Float[ndarray, "*batch 3"]:
    """Quaternions of any positive norm to rotation vectors (rad) of at most half a turn."""
    q = np.where(wxyz[..., :1] < 0, -wxyz, wxyz).astype(np.float64)
    sine = np.linalg.norm(q[..., 1:], axis=-1, keepdims=True)
    return q[..., 1:] * (2 * np.arctan2(sine, q[..., :1]) / np.maximum(sine, 1e-30))


def mean_rotation(R: Float[ndarray, "T 3 3"]) -> Float[ndarray, "3 3"]:
    """Chordal mean of rotations."""
    return Rotation.from_matrix(R).mean().as_matrix()


def same_hemisphere(wxyz: Float[ndarray, "T 4"], reference_wxyz: Float[ndarray, " 4"]) -> Float[ndarray, "T 4"]:
    """Flip the signs of quaternions so that they can be blended linearly with the reference."""
    return wxyz * np.where(wxyz @ reference_wxyz < 0, -1.0, 1.0)[:, None].astype(wxyz.dtype)


def skew(v: Float[ndarray, "*batch 3"]) -> Float[ndarray, "*batch 3 3"]:
    """Cross-product matrices: skew(v) @ x = v x x."""
    out = np.zeros((*v.shape, 3), v.dtype)
    out[..., 0, 1], out[..., 0, 2], out[..., 1, 2] = -v[..., 2], v[..., 1], -v[..., 0]
    return out - np.swapaxes(out, -1, -2)


def left_jacobian(w: Float[ndarray, "*batch 3"]) -> Float[ndarray, "*batch 3 3"]:
    """Left Jacobian of SO(3): exp(w + dw) ~ exp(J(w) dw) exp(w) (Sola et al. 2018, eq. 145)."""
    angle = np.linalg.norm(w, axis=-1)[..., None, None] + 1e-9
    S = skew(w)
    return np.eye(3) + (1 - np.cos(angle)) / angle**2 * S + (angle - np.sin(angle)) / angle**3 * (S @ S)

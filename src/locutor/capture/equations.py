"""The normal equations of the head's track: Jacobians, and the solution of what couples neighbours and the shape.

Image rows come as [T, ., 2 M]: x of all points, then y. Turns of a pose are taken in world axes, exp(turn) R, where the
Jacobian is short; the unknowns are steps of the rotation vectors, to which `vectors_from_turns` leads.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from scipy.linalg import solveh_banded

from locutor.core.camera import Camera
from locutor.geometry.rotation import left_jacobian

BANDWIDTH = 12  # the acceleration prior couples frames t and t + 2, six unknowns each


def pose_jacobian(
    rotated: Float[ndarray, "T M 3"], xyz: Float[ndarray, "T 3"], camera: Camera
) -> Float[ndarray, "T 6 rows"]:
    """What a turn in world axes and a move of the head do to the image of its points.

    Args:
        rotated: the points in world axes, before the translation.
        xyz: the translation.
        camera: that sees them.
    """
    X, Y, Z = (np.ascontiguousarray(rotated[..., axis]) for axis in range(3))
    inverse_z = 1 / (Z + xyz[:, 2:])
    a = camera.focal_px * inverse_z
    b, c = -a * (X + xyz[:, :1]) * inverse_z, -a * (Y + xyz[:, 1:2]) * inverse_z
    M = X.shape[1]
    J = np.zeros((len(X), 6, 2 * M))
    in_x, in_y = J[:, :, :M], J[:, :, M:]
    in_x[:, 0], in_x[:, 1], in_x[:, 2] = Y * b, Z * a - X * b, -Y * a
    in_y[:, 0], in_y[:, 1], in_y[:, 2] = Y * c - Z * a, -X * c, X * a
    in_x[:, 3] = in_y[:, 4] = a
    in_x[:, 5], in_y[:, 5] = b, c
    return J


def shape_jacobian(J: Float[ndarray, "T 6 rows"], R: Float[ndarray, "T 3 3"]) -> Float[ndarray, "T 3 rows"]:
    """What a move of each point in the head frame does to its own image."""
    return np.swapaxes(R, 1, 2) @ J[:, 3:]


def vectors_from_turns(w: Float[ndarray, "T 3"]) -> Float[ndarray, "T 6 6"]:
    """Turn and move of a step of (rotation vector, translation)."""
    out = np.tile(np.eye(6), (len(w), 1, 1))
    out[:, :3, :3] = left_jacobian(w)
    return out


def to_banded(diagonal: Float[ndarray, "T 6 6"], neighbour: Float[ndarray, "T1 6 6"]) -> Float[ndarray, "13 n"]:
    """Lower banded form of `scipy.linalg.solveh_banded`."""
    n = 6 * len(diagonal)
    banded = np.zeros((BANDWIDTH + 1, n))
    for row in range(6):
        for column in range(row + 1):
            banded[row - column, column::6] += diagonal[:, row, column]
        for column in range(6):
            banded[6 + row - column, column : n - 6 : 6] += neighbour[:, row, column]
    return banded


def add_acceleration(
    banded: Float[ndarray, "13 n"],
    gradient: Float[ndarray, "T 6"],
    pose: Float[ndarray, "T 6"],
    focal_px: float,
    sigma_px: float,
    cuts: Sequence[int],
) -> None:
    """Huber prior on second differences, scaled so that every unknown counts in px of image motion."""
    depth = pose[:, 5].mean()
    px = focal_px / depth
    scale = np.array([px, px, px, px, px, 0.5 * px / depth]) / sigma_px
    acceleration = pose[:-2] - 2 * pose[1:-1] + pose[2:]
    weight = scale**2 / np.maximum(1.0, np.abs(acceleration * scale) / 2)
    for cut in cuts:
        weight[max(cut - 2, 0) : cut] = 0
    stencil = (1.0, -2.0, 1.0)
    n_frames = len(pose)
    for i in range(3):
        gradient[i : n_frames - 2 + i] += stencil[i] * acceleration * weight
        for j in range(i + 1):
            row = banded[6 * (i - j)].reshape(n_frames, 6)
            row[j : n_frames - 2 + j] += stencil[i] * stencil[j] * weight


def eliminate_poses(
    banded: Float[ndarray, "13 n"],
    gradient: Float[ndarray, "T 6"],
    coupling: Float[ndarray, "T 6 D"],
    shape_matrix: Float[ndarray, "D D"],
    shape_gradient: Float[ndarray, " D"],
) -> tuple[Float[ndarray, " n"], Float[ndarray, " D"]]:
    """Steps of poses and shape: eliminate the poses, solve for the shape, substitute back (Schur complement)."""
    flat = coupling.reshape(len(gradient) * 6, -1)
    solved = solveh_banded(banded, np.column_stack([gradient.ravel(), flat]), lower=True, overwrite_b=True)
    reduced = shape_matrix - flat.T @ solved[:, 1:] + 1e-6 * np.eye(len(shape_matrix))
    shape_step = -np.linalg.solve(reduced, shape_gradient - flat.T @ solved[:, 0])
    return -(solved[:, 0] + solved[:, 1:] @ shape_step), shape_step


def couple(
    JW: Float[ndarray, "T 6 rows"], S: Float[ndarray, "T 3 rows"], to_turns: Float[ndarray, "T 6 6"]
) -> Float[ndarray, "T 6 D"]:
    """Products of the poses' Jacobian, weighted, and the shape's; the shape's unknowns go by axis, then by point."""
    M = JW.shape[2] // 2
    products = JW[:, :, None, :M] * S[:, None, :, :M]
    products += JW[:, :, None, M:] * S[:, None, :, M:]
    return to_turns @ products.reshape(len(JW), 6, -1)


def shape_system(
    S: Float[ndarray, "T 3 rows"],
    weight: Float[ndarray, "T M"],
    pull: Float[ndarray, "T rows"],
    moved: Float[ndarray, "M 3"],
    sigma: Float[ndarray, " 3"],
) -> tuple[Float[ndarray, "D D"], Float[ndarray, " D"]]:
    """Matrix and gradient of the shape alone.

    Args:
        S: the shape's Jacobian.
        weight: of each point in each frame.
        pull: weighted errors.
        moved: how far the points are from their start.
        sigma: of that, by axis.
    """
    M = weight.shape[1]
    WS = S * np.tile(weight, 2)[:, None]
    matrix, each = np.zeros((3, M, 3, M)), np.arange(M)
    for i in range(3):
        for j in range(3):
            both = (WS[:, i] * S[:, j]).sum(0)
            matrix[i, each, j, each] = both[:M] + both[M:]
        matrix[i, each, i, each] += 1 / sigma[i] ** 2
    by_row = (S * pull[:, None]).sum(0)
    gradient = by_row[:, :M] + by_row[:, M:] + (moved / sigma**2).T
    return matrix.reshape(3 * M, 3 * M), gradient.ravel()

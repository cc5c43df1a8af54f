"""Measures of a track against a known one."""

import numpy as np

from locutor.geometry.rotation import mean_rotation, rotvec_from_matrix


def rotation_errors(R: np.ndarray, R_true: np.ndarray) -> np.ndarray:
    """[T, 3] rad. A constant turn of the head frame is nobody's error: it is taken out."""
    offset = mean_rotation(np.swapaxes(R_true, -1, -2) @ R)
    return rotvec_from_matrix(R @ offset.T @ np.swapaxes(R_true, -1, -2))


def rms_deg(errors: np.ndarray) -> float:
    """Root mean square angle of [T, 3] rad, degrees."""
    return float(np.degrees(np.sqrt((errors**2).sum(-1).mean())))


def jitter_deg(errors: np.ndarray) -> float:
    """RMS second difference of [T, 3] rad, degrees per frame squared."""
    return rms_deg(np.diff(errors, n=2, axis=0))

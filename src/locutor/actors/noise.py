"""Seeded smooth noise: over space for textures, over time for motion."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Float32
from numpy import ndarray
from scipy.ndimage import map_coordinates

LATTICE = 32


def space_noise(points: Float[ndarray, "*batch 3"], size: float, seed: int) -> Float32[ndarray, "*batch"]:
    """Value noise (random lattice, cubic interpolation) of about unit deviation.

    Args:
        points: where.
        size: distance between lattice points, in the unit of `points`.
        seed: which noise.
    """
    lattice = np.random.default_rng(seed).standard_normal((LATTICE,) * 3).astype(np.float32)
    where = np.moveaxis(np.asarray(points, np.float32) / size + 7.3, -1, 0)
    return 3.0 * map_coordinates(lattice, where % LATTICE, order=3, mode="grid-wrap", prefilter=False)


def time_noise(
    rng: np.random.Generator, n_frames: int, cutoff_hz: float, fps: int, n_channels: int = 1
) -> Float32[ndarray, "T C"]:
    """Gaussian noise of unit deviation with a smooth low-pass spectrum exp(-(f / cutoff)^2)."""
    n = n_frames + int(4 * fps / cutoff_hz)  # longer than asked, so that the end does not join the beginning
    white = rng.standard_normal((n, n_channels))
    frequency = np.fft.rfftfreq(n, 1 / fps)[:, None]
    shaped = np.fft.irfft(np.fft.rfft(white, axis=0) * np.exp(-((frequency / cutoff_hz) ** 2)), n, axis=0)
    return (shaped[:n_frames] / shaped.std(0)).astype(np.float32)

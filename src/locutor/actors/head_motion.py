"""Movement of the head and of the torso below it."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from scipy.ndimage import gaussian_filter1d

from locutor.actors.noise import time_noise
from locutor.actors.style import Style
from locutor.core.clock import FPS

HEAD_LIMIT_DEG = np.array([5.0, 8.0, 3.0])  # pitch, yaw, roll
HEAD_SHIFT = np.array([0.35, 0.18, 0.30])  # rig units
TORSO_SHARE = 0.30  # of the head's turn that the torso follows
TORSO_LAG_S = 0.35
BREATH_HZ = 0.27

Stresses = list[tuple[float, float]]
"""Times (s) and efforts of the vowels with primary stress."""


def pulses(
    times_s: Float[ndarray, " T"],
    at_s: Float[ndarray, " n"],
    height: Float[ndarray, " n"],
    rise_s: float,
    fall_s: float,
) -> Float[ndarray, " T"]:
    """Sum of asymmetric Gaussian pulses."""
    tau = times_s[:, None] - at_s[None, :]
    return (height * np.exp(-((tau / np.where(tau < 0, rise_s, fall_s)) ** 2))).sum(1)


def head_motion(
    rng: np.random.Generator, times_s: Float[ndarray, " T"], stresses: Stresses, style: Style
) -> tuple[Float[ndarray, "T 3"], Float[ndarray, "T 3"]]:
    """Turn (pitch, yaw, roll, rad) and shift (rig units) of the head: slow drift, and nods on stressed vowels."""
    n = len(times_s)
    slow, quick = time_noise(rng, n, 0.30, FPS, 3), time_noise(rng, n, 1.1, FPS, 3)
    turn = style.head * (0.62 * slow + 0.13 * quick) * [0.75, 1.0, 0.9]
    picked = [(t, e) for t, e in stresses if rng.random() < style.nods]
    at = np.array([t for t, _ in picked]) + rng.normal(0, 0.03, len(picked))
    height = style.head * np.array([e for _, e in picked]) * rng.uniform(0.12, 0.42, len(picked))
    turn[:, 0] += pulses(times_s, at, height, 0.13, 0.20)  # a nod goes down: positive about x (y is down)
    bounded = np.tanh(turn) * np.radians(HEAD_LIMIT_DEG)
    shift = style.head * time_noise(rng, n, 0.35, FPS, 3) * HEAD_SHIFT
    return bounded, shift


def torso_motion(
    rng: np.random.Generator, times_s: Float[ndarray, " T"], head_rotvec: Float[ndarray, "T 3"]
) -> tuple[Float[ndarray, "T 3"], Float[ndarray, "T 3"]]:
    """Turn and shift of the torso: it follows the head late and breathes."""
    n = len(times_s)
    lag = round(TORSO_LAG_S * FPS)
    late = np.concatenate([np.repeat(head_rotvec[:1], lag, 0), head_rotvec])[:n]
    turn = TORSO_SHARE * gaussian_filter1d(late, 0.3 * FPS, axis=0) + np.radians(0.35) * time_noise(rng, n, 0.2, FPS, 3)
    phase = 2 * np.pi * BREATH_HZ * times_s + 0.6 * time_noise(rng, n, 0.1, FPS)[:, 0]
    breath = np.sin(phase)
    turn[:, 0] += np.radians(0.25) * breath
    shift = 0.12 * time_noise(rng, n, 0.25, FPS, 3)
    shift[:, 1] += -0.11 * breath
    return turn, shift

"""How the performer moves: mouth from the phonemes, blinks, brows, gaze, head, torso. All of it follows from a seed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32
from numpy import ndarray
from scipy.ndimage import gaussian_filter1d

from locutor.actors.noise import time_noise
from locutor.actors.performance_script import Recital
from locutor.actors.rig import EXPRESSION_ROWS, Rig
from locutor.actors.scene import HEAD_PIVOT, TORSO_PIVOT, Pose
from locutor.actors.visemes import CONTROLS, gestures, mouth_track
from locutor.core.clock import FPS
from locutor.geometry.rotation import matrix_from_rotvec

HEAD_LIMIT_DEG = np.array([5.0, 8.0, 3.0])  # pitch, yaw, roll
HEAD_SHIFT = np.array([0.35, 0.18, 0.30])  # rig units
TORSO_SHARE = 0.30  # of the head's turn that the torso follows
TORSO_LAG_S = 0.35
BREATH_HZ = 0.27
LID_REST = 0.12  # relaxed lids hang a little


@dataclass(frozen=True)
class PerformerMotion:
    """One value per frame at `core.clock.FPS`; the fields are those of `scene.Pose`.

    Attributes:
        head_rotvec, torso_rotvec: rotation vectors (pitch, yaw, roll about x, y, z), rad.
    """

    expression: Float32[ndarray, "T E"]
    head_rotvec: Float32[ndarray, "T 3"]
    head_shift: Float32[ndarray, "T 3"]
    torso_rotvec: Float32[ndarray, "T 3"]
    torso_shift: Float32[ndarray, "T 3"]
    gaze: Float32[ndarray, "T 2"]

    def __len__(self) -> int:
        return len(self.expression)

    def pose(self, frame: int) -> Pose:
        """Everything that is needed to draw one frame."""
        return Pose(
            self.expression[frame],
            matrix_from_rotvec(self.head_rotvec[frame]),
            self.head_shift[frame],
            matrix_from_rotvec(self.torso_rotvec[frame]),
            self.torso_shift[frame],
            self.gaze[frame],
        )


def perform(rig: Rig, recital: Recital, seed: int) -> PerformerMotion:
    """The motion that goes with a recital; the same seed gives the same values."""
    rng = np.random.default_rng([seed, 1])
    n_frames = round(len(recital.samples) / recital.sample_rate * FPS)
    times_s = (np.arange(n_frames) + 0.5) / FPS
    stresses = _stresses(recital)
    channels: dict[str, Float[ndarray, " T"]] = {}
    mouth = _mouth(recital, times_s)
    for k, name in enumerate(CONTROLS):
        channels[name] = mouth[:, k]
    head_rotvec, head_shift = _head(rng, times_s, stresses)
    gaze = _gaze(rng, times_s, head_rotvec)
    blink = _blinks(rng, times_s)
    channels |= _eyes(blink, gaze) | _brows(rng, times_s, stresses)
    channels["mouthSmile"] = channels["mouthSmile"] + 0.05 * np.clip(time_noise(rng, n_frames, 0.15, FPS)[:, 0], 0, 2)
    torso_rotvec, torso_shift = _torso(rng, times_s, head_rotvec)
    carried = np.cross(torso_rotvec, HEAD_PIVOT - TORSO_PIVOT) + torso_shift
    return PerformerMotion(
        _weights(rig, channels, n_frames),
        head_rotvec.astype(np.float32),
        (head_shift + carried).astype(np.float32),
        torso_rotvec.astype(np.float32),
        torso_shift.astype(np.float32),
        gaze.astype(np.float32),
    )


def _mouth(recital: Recital, times_s: Float[ndarray, " T"]) -> Float32[ndarray, "T C"]:
    track = np.zeros((len(times_s), len(CONTROLS)), np.float32)
    for spoken in recital.spoken:
        shapes = gestures(spoken.phonemes, spoken.end_s, spoken.line.effort)
        near = (times_s > spoken.start_s - 0.5) & (times_s < spoken.end_s + 0.5)
        track[near] = mouth_track(shapes, times_s[near])
    return track


def _stresses(recital: Recital) -> list[tuple[float, float]]:
    """Times and efforts of the vowels with primary stress."""
    return [
        (phoneme.start_s, spoken.line.effort)
        for spoken in recital.spoken
        for phoneme in spoken.phonemes
        if "ˈ" in phoneme.symbol
    ]


def _pulses(times_s: ndarray, at_s: ndarray, height: ndarray, rise_s: float, fall_s: float) -> Float[ndarray, " T"]:
    """Sum of asymmetric Gaussian pulses."""
    tau = times_s[:, None] - at_s[None, :]
    return (height * np.exp(-((tau / np.where(tau < 0, rise_s, fall_s)) ** 2))).sum(1)


def _head(
    rng: np.random.Generator, times_s: ndarray, stresses: list[tuple[float, float]]
) -> tuple[Float[ndarray, "T 3"], Float[ndarray, "T 3"]]:
    n = len(times_s)
    slow, quick = time_noise(rng, n, 0.30, FPS, 3), time_noise(rng, n, 1.1, FPS, 3)
    turn = (0.62 * slow + 0.13 * quick) * [0.75, 1.0, 0.9]
    picked = [(t, e) for t, e in stresses if rng.random() < 0.55]
    at = np.array([t for t, _ in picked]) + rng.normal(0, 0.03, len(picked))
    height = np.array([e for _, e in picked]) * rng.uniform(0.12, 0.42, len(picked))
    turn[:, 0] += _pulses(times_s, at, height, 0.13, 0.20)  # a nod goes down: positive about x (y is down)
    bounded = np.tanh(turn) * np.radians(HEAD_LIMIT_DEG)
    shift = time_noise(rng, n, 0.35, FPS, 3) * HEAD_SHIFT
    return bounded, shift


def _torso(
    rng: np.random.Generator, times_s: ndarray, head_rotvec: ndarray
) -> tuple[Float[ndarray, "T 3"], Float[ndarray, "T 3"]]:
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


def _blinks(rng: np.random.Generator, times_s: ndarray) -> Float[ndarray, " T"]:
    """Closure of the lids 0..1: shut in about 80 ms, open again in 120-200 ms, every 2-5 s."""
    closure = np.zeros(len(times_s))
    at = rng.uniform(0.8, 2.0)
    while at < times_s[-1]:
        # Full closure falls on a frame, as it lasts at least one.
        centre = times_s[np.argmin(np.abs(times_s - at))]
        opening_s = rng.uniform(0.12, 0.20)
        tau = times_s - centre
        shut = np.where(tau < 0, 1 + (tau + 0.02) / 0.08, 1 - (tau - 0.02) / opening_s)
        closure = np.maximum(closure, np.clip(shut, 0, 1))
        at += rng.uniform(2.0, 5.0) if rng.random() > 0.1 else rng.uniform(0.5, 0.7)  # now and then twice
    return closure


def _gaze(rng: np.random.Generator, times_s: ndarray, head_rotvec: ndarray) -> Float[ndarray, "T 2"]:
    """Yaw and pitch in the head: fixations near the camera with small saccades; the eyes make up for the head."""
    target = np.zeros((len(times_s), 2))
    at, where = 0.0, np.zeros(2)
    while at < times_s[-1]:
        target[times_s >= at] = where
        spread = [7.0, 3.5] if rng.random() < 0.12 else [2.0, 1.3]
        where = np.radians(rng.normal(0, spread))
        at += rng.uniform(0.5, 2.2)
    in_head = target + 0.85 * np.stack([head_rotvec[:, 1], -head_rotvec[:, 0]], 1)
    return np.clip(in_head, -0.35, 0.35)


def _eyes(blink: Float[ndarray, " T"], gaze: Float[ndarray, "T 2"]) -> dict[str, Float[ndarray, " T"]]:
    yaw, pitch = gaze.T
    open_ = 1 - blink
    left, right = np.clip(yaw, 0, None) / 0.5 * open_, np.clip(-yaw, 0, None) / 0.5 * open_
    return {
        "eyeBlink": blink + LID_REST * open_,
        "eyeSquint": 0.5 * blink,  # the lower lid comes up to meet the upper one
        "eyeLookDown": np.clip(pitch, 0, None) / 0.45 * open_,
        "eyeLookUp": np.clip(-pitch, 0, None) / 0.45 * open_,
        "eyeLookOutLeft": left,
        "eyeLookInRight": left,
        "eyeLookOutRight": right,
        "eyeLookInLeft": right,
    }


def _brows(
    rng: np.random.Generator, times_s: ndarray, stresses: list[tuple[float, float]]
) -> dict[str, Float[ndarray, " T"]]:
    picked = [(t, e) for t, e in stresses if rng.random() < 0.35]
    at = np.array([t for t, _ in picked]) - 0.05
    height = np.array([e for _, e in picked]) * rng.uniform(0.15, 0.55, len(picked))
    drift = time_noise(rng, len(times_s), 0.2, FPS, 2)
    up = np.clip(_pulses(times_s, at, height, 0.14, 0.30) + 0.10 * drift[:, 0], 0, 0.9)
    return {
        "browInnerUp": 0.8 * up,
        "browOuterUp": 0.7 * up,
        "browDown": np.clip(0.12 * drift[:, 1] - 0.5 * up, 0, 0.4),
    }


def _weights(rig: Rig, channels: dict[str, ndarray], n_frames: int) -> Float32[ndarray, "T E"]:
    """Rows of the rig's expressions; a name without a side moves both sides."""
    weights = np.zeros((n_frames, len(rig.expression)), np.float32)
    for name, values in channels.items():
        for full in (name, f"{name}Left", f"{name}Right"):
            if full in EXPRESSION_ROWS:
                weights[:, EXPRESSION_ROWS[full]] = np.clip(values, 0, 1)
    return weights

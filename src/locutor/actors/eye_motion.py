"""Blinks, gaze and brows."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from locutor.actors.head_motion import Stresses, pulses
from locutor.actors.noise import time_noise
from locutor.actors.style import Style
from locutor.core.clock import FPS

LID_REST = 0.12  # relaxed lids hang a little


def blinks(rng: np.random.Generator, times_s: Float[ndarray, " T"], style: Style) -> Float[ndarray, " T"]:
    """Closure of the lids 0..1: shut in about 80 ms, open again in 120-200 ms, every few seconds."""
    closure = np.zeros(len(times_s))
    at = rng.uniform(0.8, 2.0)
    while at < times_s[-1]:
        # Full closure falls on a frame, as it lasts at least one.
        centre = times_s[np.argmin(np.abs(times_s - at))]
        opening_s = rng.uniform(0.12, 0.20)
        tau = times_s - centre
        shut = np.where(tau < 0, 1 + (tau + 0.02) / 0.08, 1 - (tau - 0.02) / opening_s)
        closure = np.maximum(closure, np.clip(shut, 0, 1))
        between_s = style.blink_s * rng.uniform(0.6, 1.25)
        at += between_s if rng.random() > 0.1 else rng.uniform(0.5, 0.7)  # now and then twice
    return closure


def gaze_angles(
    rng: np.random.Generator, times_s: Float[ndarray, " T"], head_rotvec: Float[ndarray, "T 3"]
) -> Float[ndarray, "T 2"]:
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


def eye_channels(blink: Float[ndarray, " T"], gaze: Float[ndarray, "T 2"]) -> dict[str, Float[ndarray, " T"]]:
    """Channels of the lids and of the skin around the eyes, under ARKit's names."""
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


def brow_channels(
    rng: np.random.Generator, times_s: Float[ndarray, " T"], stresses: Stresses, style: Style
) -> dict[str, Float[ndarray, " T"]]:
    """Brows that drift, and rise a little before some stressed vowels."""
    picked = [(t, e) for t, e in stresses if rng.random() < 0.35]
    at = np.array([t for t, _ in picked]) - 0.05
    height = style.brows * np.array([e for _, e in picked]) * rng.uniform(0.15, 0.55, len(picked))
    drift = time_noise(rng, len(times_s), 0.2, FPS, 2)
    up = np.clip(pulses(times_s, at, height, 0.14, 0.30) + 0.10 * drift[:, 0], 0, 0.9)
    return {
        "browInnerUp": 0.8 * up,
        "browOuterUp": 0.7 * up,
        "browDown": np.clip(0.12 * drift[:, 1] - 0.5 * up, 0, 0.4),
    }

"""How the performer moves: mouth from the phonemes, blinks, brows, gaze, head, torso. All of it follows from a seed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32
from numpy import ndarray

from locutor.actors.channels import expression_weights, sided
from locutor.actors.eye_motion import blinks, brow_channels, eye_channels, gaze_angles
from locutor.actors.generators import GENERATORS, Generator
from locutor.actors.head_motion import HEAD_LIMIT_DEG, Stresses, head_motion, torso_motion
from locutor.actors.mouth_shapes import CONTROLS
from locutor.actors.noise import time_noise
from locutor.actors.performance_script import Recital
from locutor.actors.rig import Rig
from locutor.actors.scene import HEAD_PIVOT, TORSO_PIVOT, Pose
from locutor.actors.style import Style
from locutor.actors.visemes import gestures, mouth_track
from locutor.core.clock import FPS
from locutor.geometry.rotation import matrix_from_rotvec

__all__ = ["HEAD_LIMIT_DEG", "PerformerMotion", "mouth_motion", "perform"]

NEAR_S = 0.6  # outside of this around a line its sounds move nothing


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


def perform(rig: Rig, recital: Recital, seed: int, generator: Generator = GENERATORS["A"]) -> PerformerMotion:
    """The motion that goes with a recital; the same seed and generator give the same bytes.

    Args:
        rig: whose expressions are moved.
        recital: the phonemes and their times.
        seed: of the performer: the style of speaking, and every movement that the phonemes do not ask for.
        generator: the laws of coarticulation and the spread of styles.
    """
    rng = np.random.default_rng([seed, generator.motion_seed])
    style = generator.styles.draw(seed)
    n_frames = round(len(recital.samples) / recital.sample_rate * FPS)
    times_s = (np.arange(n_frames) + 0.5) / FPS
    stresses = _stresses(recital)
    mouth = mouth_motion(recital, times_s, generator, style, seed)
    channels: dict[str, Float[ndarray, " T"]] = {name: mouth[:, k] for k, name in enumerate(CONTROLS)}
    head_rotvec, head_shift = head_motion(rng, times_s, stresses, style)
    gaze = gaze_angles(rng, times_s, head_rotvec)
    blink = blinks(rng, times_s, style)
    channels |= eye_channels(blink, gaze) | brow_channels(rng, times_s, stresses, style)
    drift = np.clip(time_noise(rng, n_frames, 0.15, FPS)[:, 0], 0, 2)
    channels["mouthSmile"] = channels["mouthSmile"] + style.smile + 0.05 * drift
    torso_rotvec, torso_shift = torso_motion(rng, times_s, head_rotvec)
    carried = np.cross(torso_rotvec, HEAD_PIVOT - TORSO_PIVOT) + torso_shift
    return PerformerMotion(
        expression_weights(sided(channels, style.asymmetry), n_frames),
        head_rotvec.astype(np.float32),
        (head_shift + carried).astype(np.float32),
        torso_rotvec.astype(np.float32),
        torso_shift.astype(np.float32),
        gaze.astype(np.float32),
    )


def mouth_motion(
    recital: Recital, times_s: Float[ndarray, " T"], generator: Generator, style: Style, seed: int
) -> Float32[ndarray, "T C"]:
    """Weights of `mouth_shapes.CONTROLS` at the given times; before asymmetry and smile."""
    rng = np.random.default_rng([seed, generator.motion_seed, 3])
    track = np.zeros((len(times_s), len(CONTROLS)), np.float32)
    for spoken in recital.spoken:
        shapes = gestures(spoken.phonemes, spoken.end_s, generator, spoken.opening, rng, style.unsteadiness)
        near = (times_s > spoken.start_s - NEAR_S) & (times_s < spoken.end_s + NEAR_S)
        track[near] += mouth_track(shapes, times_s[near], generator, style)  # far from its line each one is 0
    return track


def _stresses(recital: Recital) -> Stresses:
    return [
        (phoneme.start_s, spoken.opening)
        for spoken in recital.spoken
        for phoneme in spoken.phonemes
        if "ˈ" in phoneme.symbol
    ]

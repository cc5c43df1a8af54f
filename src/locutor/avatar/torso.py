"""How clothes and shoulders move beyond the torso's rigid pose.

A collar gives way to the chin, shoulders rise with breath and shrugs: a few bases of their own, weighted by
coefficients that depend on where head, torso and shoulders are. They displace only, and share the motion field's table:
the face's bases are zero on the torso, the torso's on the face.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float32
from numpy import ndarray
from torch import Tensor

from locutor.avatar.field import CodeNetwork
from locutor.core.motion import Motion
from locutor.geometry.rotation import inverse_wxyz, matrix_from_wxyz, rotvec_from_wxyz, wxyz_product

N_SHOULDERS = 2
N_TORSO_CONTROLS = 10 + N_SHOULDERS
LEAST_STD = 0.005  # of the shoulders, inter-ocular units: half a pixel in a frame of 512
LIMIT = 2.5  # standard deviations: what the footage never showed is not extrapolated further


@dataclass(frozen=True)
class TorsoCode:
    """Poses of head and torso, and the shoulders, to the coefficients of the torso's bases.

    Attributes:
        mean, std: of the controls over the training frames; avatars of earlier versions have none for the shoulders.
        network: controls to coefficients.
    """

    mean: Float32[ndarray, " F"]
    std: Float32[ndarray, " F"]
    network: CodeNetwork

    def coefficients(self, motion: Motion) -> Float32[Tensor, "T K"]:
        """Coefficients of every frame. Needs the channels `head` and `torso`."""
        with torch.no_grad():
            return self.network(torch.from_numpy(encode_torso(motion, self.mean, self.std)))


def torso_controls(motion: Motion) -> Float[ndarray, "T 12"]:
    """Head turn (rad) and place in the torso's frame; the torso's roll (rad) and place; the shoulders, if known.

    Lengths are in inter-ocular units.
    """
    head_wxyz, head_xyz, torso_wxyz, torso_xyz = motion.require("head_wxyz", "head_xyz", "torso_wxyz", "torso_xyz")
    R_world_torso = matrix_from_wxyz(torso_wxyz)
    turn = rotvec_from_wxyz(wxyz_product(inverse_wxyz(torso_wxyz), head_wxyz))
    head_in_torso = np.einsum("tji,tj->ti", R_world_torso, head_xyz - torso_xyz)
    roll = rotvec_from_wxyz(torso_wxyz)[:, 2:]
    return np.concatenate([turn, head_in_torso, roll, torso_xyz, shoulders_of(motion)], 1)


def shoulders_of(motion: Motion) -> Float[ndarray, "T 2"]:
    """The shoulders' channel; 0, their usual place, where the motion has none."""
    return np.zeros((len(motion), N_SHOULDERS)) if motion.shoulders is None else motion.shoulders


def torso_spread(motion: Motion) -> tuple[Float32[ndarray, " F"], Float32[ndarray, " F"]]:
    """Mean and standard deviation of the controls over the frames of `motion` (the training frames)."""
    controls = torso_controls(motion)
    std = controls.std(0) + 1e-6
    std[-N_SHOULDERS:] = np.maximum(std[-N_SHOULDERS:], LEAST_STD)
    return controls.mean(0).astype(np.float32), std.astype(np.float32)


def encode_torso(motion: Motion, mean: Float32[ndarray, " F"], std: Float32[ndarray, " F"]) -> Float32[ndarray, "T F"]:
    """Standardised controls of every frame."""
    controls = torso_controls(motion)[:, : len(mean)]
    return np.clip((controls - mean) / std, -LIMIT, LIMIT).astype(np.float32)

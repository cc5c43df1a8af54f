"""From `Motion` to the few numbers that drive one person's avatar."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32
from numpy import ndarray

from locutor.core.face import BROWS_SLICE, EYES_SLICE, FACE_POINTS, LID_PAIRS, MOUTH_SLICE
from locutor.core.motion import Motion
from locutor.geometry.rotation import inverse_wxyz, rotvec_from_wxyz, wxyz_product

REGIONS = ((MOUTH_SLICE, 10), (EYES_SLICE, 8), (BROWS_SLICE, 4))
N_LIDS, N_POSE = 2, 6
N_CONTROLS = sum(n for _, n in REGIONS) + N_LIDS + N_POSE
FACE_CONTROLS = slice(0, N_CONTROLS - N_POSE)
SHUT = 3.0  # what the furthest closing of the footage is in standard units
LIMIT = 4.5  # standard deviations: what the footage never showed is not extrapolated further
POSE_LIMIT = 2.7  # the same for the head's pose, which is near to uniform: a head turned further keeps its shape


@dataclass(frozen=True)
class ControlSpace:
    """The person's main ways of moving: principal components of mouth, eyes and brows, the lids, and the head pose.

    Blinks are rare and quick: in the principal components they are spread over several, far outside what a standard
    deviation says of them. So the opening of each eye is a control of its own.

    Attributes:
        components: rows over all 240 face coordinates: principal components, zero outside their region, and openings.
        face_mean: mean face displacement, 240.
        mean, std: of the controls over the training frames.
        reference_wxyz, reference_xyz: the reference head pose.
    """

    components: Float32[ndarray, "P 240"]
    face_mean: Float32[ndarray, " 240"]
    mean: Float32[ndarray, " F"]
    std: Float32[ndarray, " F"]
    reference_wxyz: Float32[ndarray, " 4"]
    reference_xyz: Float32[ndarray, " 3"]

    def encode(self, motion: Motion) -> Float32[ndarray, "T F"]:
        """Standardised controls of every frame. Needs the channels `face` and `head`."""
        encoded = np.clip((self._raw(motion) - self.mean) / self.std, -LIMIT, LIMIT).astype(np.float32)
        encoded[:, -N_POSE:] = np.clip(encoded[:, -N_POSE:], -POSE_LIMIT, POSE_LIMIT)
        return encoded

    def _raw(self, motion: Motion) -> Float[ndarray, "T F"]:
        face, head_wxyz, head_xyz = motion.require("face", "head_wxyz", "head_xyz")
        centred = face.reshape(len(motion), -1) - self.face_mean
        turn = rotvec_from_wxyz(wxyz_product(head_wxyz, inverse_wxyz(self.reference_wxyz)))
        return np.concatenate([centred @ self.components.T, turn, head_xyz - self.reference_xyz], 1)


def fit_controls(
    motion: Motion, reference_wxyz: Float32[ndarray, " 4"], reference_xyz: Float32[ndarray, " 3"]
) -> ControlSpace:
    """Principal components of the frames of `motion` (the training frames), by region."""
    (face,) = motion.require("face")
    mean = face.reshape(len(motion), -1).mean(0)
    centred = face - mean.reshape(face.shape[1:])
    components = []
    for region, n_components in REGIONS:
        part = np.zeros_like(centred)
        part[:, region] = centred[:, region]
        components.append(np.linalg.svd(part.reshape(len(motion), -1), full_matrices=False)[2][:n_components])
    components.append(_lid_openings())
    space = ControlSpace(
        np.concatenate(components).astype(np.float32),
        mean.astype(np.float32),
        np.zeros(N_CONTROLS, np.float32),
        np.ones(N_CONTROLS, np.float32),
        reference_wxyz,
        reference_xyz,
    )
    raw = space._raw(motion)
    std = raw.std(0) + 1e-6
    lids = slice(-N_LIDS - N_POSE, -N_POSE)
    std[lids] = np.maximum(std[lids], (raw.mean(0) - raw.min(0))[lids] / SHUT)
    return ControlSpace(
        space.components,
        space.face_mean,
        raw.mean(0).astype(np.float32),
        std.astype(np.float32),
        reference_wxyz,
        reference_xyz,
    )


def _lid_openings() -> Float32[ndarray, "2 240"]:
    """Rows that measure how far the right and the left eye are open: mean distance of the lids, y down."""
    rows = np.zeros((len(LID_PAIRS), len(FACE_POINTS), 2), np.float32)
    for row, pairs in zip(rows, LID_PAIRS, strict=True):
        for up, low in pairs:
            row[FACE_POINTS.index(low), 1], row[FACE_POINTS.index(up), 1] = 1 / len(pairs), -1 / len(pairs)
    return rows.reshape(len(LID_PAIRS), -1)

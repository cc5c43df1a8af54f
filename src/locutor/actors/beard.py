"""A full beard: short hairs over jaw, chin and upper lip that move with the skin."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray

from locutor.actors.body import Surface
from locutor.actors.hair import scattered
from locutor.actors.rig import LANDMARK_LIPS_OUTER, Rig
from locutor.actors.strands import skin_hairs

N_HAIRS = 4200


def beard(
    rig: Rig, neutral: Float[ndarray, "V 3"], normals: Float[ndarray, "V 3"], page: tuple[int, int], seed: int
) -> Surface:
    """The beard of a face.

    Args:
        rig, neutral, normals: the person's face.
        page: column and size of the hair page in the atlas.
        seed: of the single hairs.
    """
    rng = np.random.default_rng([seed, 4])
    corners = neutral[rig.triangles[rig.of_material("M_Face")]]
    low_enough = corners[:, :, 1].mean(1) > neutral[rig.landmarks[33], 1] - 4  # nothing grows further up
    at = scattered(corners, low_enough.astype(np.float32), 6 * N_HAIRS, rng)
    at = at[_grows(at, neutral[rig.landmarks], rng)][:N_HAIRS]
    n, lips = len(at), neutral[rig.landmarks[list(LANDMARK_LIPS_OUTER)]]
    low = np.clip((at[:, 1] - lips[:, 1].max()) / 3.0, 0, 1)
    direction = np.stack([0.25 * at[:, 0] * (1 - low) + rng.normal(0, 0.25, n), np.ones(n), 0.25 * np.ones(n)], 1)
    length = (rng.uniform(0.35, 0.75, n) + 0.55 * low)[:, None]
    return skin_hairs(rig, neutral, normals, at, direction, length, 0.05, page, rng)


def _grows(
    at: Float[ndarray, "n 3"], landmarks: Float[ndarray, "68 3"], rng: np.random.Generator
) -> Bool[ndarray, " n"]:
    """Which places carry hair: below a line from the sideburns to the corners of the mouth, off the lips."""
    nose, corner, chin = landmarks[33, 1], landmarks[[48, 54], 1].mean(), landmarks[8, 1]
    x = np.abs(at[:, 0])
    upper = [nose + 0.55, nose + 0.75, corner + 0.3, corner - 1.2, nose - 4, nose - 5]
    line = np.interp(x, [0, 2.6, 4.2, 6.0, 7.0, 7.6], upper)
    ragged = line + 0.3 * rng.standard_normal(len(at)) ** 2
    end = chin + 0.5 - 0.06 * (at[:, 2] + 9) ** 2 * (at[:, 2] > -9) - 0.3 * rng.standard_normal(len(at)) ** 2
    below = (at[:, 1] > ragged) & (at[:, 1] < end) & (at[:, 2] < -1.2) & (x < 7.9)
    polygon = (landmarks[list(LANDMARK_LIPS_OUTER), :2] * 16).astype(np.int32)
    low = polygon.min(0) - 8
    mask = np.zeros((polygon.max(0) - low + 8)[::-1], np.uint8)
    cv2.fillPoly(mask, [polygon - low], 1)
    mask = cv2.dilate(mask, np.ones((5, 5), np.uint8))
    column, row = ((at[:, :2] * 16).astype(np.int32) - low).T
    inside = (row >= 0) & (column >= 0) & (row < mask.shape[0]) & (column < mask.shape[1])
    on_lips = inside & (mask[row.clip(0, mask.shape[0] - 1), column.clip(0, mask.shape[1] - 1)] > 0)
    return below & ~on_lips

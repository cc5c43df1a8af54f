"""Skin points followed from one frame of a shot to all others: places that neither drift nor belong to a network.

The landmark network knows where a face usually is when it turns, and tells of less nodding than there is; flow from
frame to frame is exact and drifts. A patch of skin found again in every frame has neither fault, as long as it is seen.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, UInt8
from numpy import ndarray

from locutor.capture.flow import there_and_back
from locutor.capture.track import RigidTrack
from locutor.core.camera import Camera
from locutor.geometry.rotation import mean_rotation

ROUND_TRIP_PX = 0.5  # there and back must meet within this
FARTHEST_PX = 8.0  # from where the landmarks expect the point
# Median stray of patches in depth, inter-ocular units, from which on it is not skin: by landmarks and among themselves.
# Ten performers and three people: with glasses .125 and .128, .078 and .102; bare .05 to .11, .03 to .064, never both.
WORN, WORN_AMONG = 0.1, 0.065
LEAST_TURN = 0.01  # rad; a head that turns less tells nothing of depths
LANDMARK_TRUST = 0.04  # weight of a landmark where the patch is not found again, beside one for a patch that is


@dataclass(frozen=True)
class Sighting:
    """Where points of the skin were seen.

    Attributes:
        px: places; where `found` is False, those that were expected.
        found: whether the patch of the keyframe was found again.
    """

    px: Float[ndarray, "T M 2"]
    found: Bool[ndarray, "T M"]

    def filled(
        self, landmarks_px: Float[ndarray, "T M 2"], observed: Bool[ndarray, " T"]
    ) -> tuple[Float[ndarray, "T M 2"], Float[ndarray, "T M"]]:
        """The places and their weights, with landmarks where the patch was not found.

        The landmarks are moved by each point's usual distance from its patch, so that both tell of the same skin.
        """
        seen = self.found & observed[:, None]
        away = np.where(seen[..., None], self.px - landmarks_px, np.nan)
        away[:, ~seen.any(0)] = 0.0
        px = np.where(seen[..., None], self.px, landmarks_px + np.nanmedian(away, axis=0))
        return px, np.where(seen, 1.0, LANDMARK_TRUST) * observed[:, None]


def own_depths(
    sighting: Sighting,
    landmarks_px: Float[ndarray, "T M 2"],
    observed: Bool[ndarray, " T"],
    track: RigidTrack,
    camera: Camera,
) -> Float[ndarray, " M"]:
    """How much deeper each patch lies than the skin at its landmark, inter-ocular units; their mean is zero.

    A patch may hold on to the frame of glasses or to a strand of hair, and then moves with the turns of the head as
    that does. What tells is the slope, over the turns, of its distance from its landmark (ridge regression).
    """
    seen = sighting.found & observed[:, None]
    w = track.w - track.w[observed].mean(0)
    columns = np.concatenate([np.ones((len(w), 1)), w], axis=1)
    px_per_unit = camera.focal_px / track.xyz[observed, 2].mean()
    away = np.where(seen, (sighting.px - landmarks_px)[..., 0], np.nan)
    usual = np.nanmedian(away[seen.any(1)], axis=1)
    depths = np.zeros(seen.shape[1])
    for i, frames in enumerate(seen.T):
        X = columns[frames]
        ridge = frames.sum() * LEAST_TURN**2 * np.diag([0.0, 1.0, 1.0, 1.0]) + 1e-9 * np.eye(4)
        offset = away[frames, i] - usual[frames[seen.any(1)]]
        depths[i] = np.linalg.solve(X.T @ X + ridge, X.T @ offset)[2] / px_per_unit
    return depths - depths.mean()


def patch_depths(
    by_landmarks: Float[ndarray, " M"],
    moves: Float[ndarray, " M"],
    depths: Float[ndarray, " M"],
    information: Float[ndarray, " M"],
) -> tuple[Float[ndarray, " M"], bool]:
    """How much deeper each patch lies than on a mean head, and whether something is worn before the skin.

    How deep the whole is the landmarks say, everything else the patches. A patch may hold on to glasses, a strand of
    hair or the edge of the cheek, of which the mean head knows nothing.

    Args:
        by_landmarks: what `own_depths` says.
        moves: in depth from the mean head, by a fit in which each patch was free.
        depths, information: of the mean head, and as in `without_scale`.
    """
    among = without_scale(moves, depths, information)
    measured = by_landmarks - without_scale(by_landmarks, depths, information) + among
    worn = bool(np.median(np.abs(by_landmarks)) > WORN and np.median(np.abs(among)) > WORN_AMONG)
    return measured, worn


def without_scale(
    moves: Float[ndarray, " M"], depths: Float[ndarray, " M"], information: Float[ndarray, " M"]
) -> Float[ndarray, " M"]:
    """Moves in depth without their common part and without what stretches the whole in depth (weighted least squares).

    Patches tell well which of them lies before which, and hardly how deep the whole is: a deeper shape that turns less
    looks alike (Belhumeur et al. 1999, the bas-relief ambiguity). That part stays as it was.

    Args:
        moves: found by patches that were free to move in depth.
        depths: of the shape.
        information: how much each patch is worth, for instance its inverse variance.
    """
    A = np.column_stack([np.ones_like(depths), depths])
    return moves - A @ np.linalg.solve(A.T @ (information[:, None] * A), A.T @ (information * moves))


def keyframes(track: RigidTrack, observed: Bool[ndarray, " T"], cuts: Sequence[int]) -> list[int]:
    """For each shot the frame nearest to its mean pose."""
    R, bounds = track.R_world_head, [0, *cuts, len(observed)]
    chosen = []
    for start, end in itertools.pairwise(bounds):
        shot = slice(start, end)
        away = np.linalg.norm(R[shot] - mean_rotation(R[shot]), axis=(1, 2))
        away += np.linalg.norm(track.xyz[shot] - track.xyz[shot].mean(0), axis=1)
        chosen.append(start + int(np.argmin(np.where(observed[shot], away, np.inf))))
    return chosen


def find_patches(
    key: UInt8[ndarray, "H W"],
    frame: UInt8[ndarray, "H W"],
    places: Float[ndarray, "M 2"],
    expected: Float[ndarray, "M 2"],
) -> tuple[Float[ndarray, "M 2"], Bool[ndarray, " M"]]:
    """Look in a frame for the patches of the keyframe (Lucas-Kanade, there and back).

    Args:
        key: the keyframe.
        frame: where to look.
        places: of the patches in the keyframe, px.
        expected: where a track sees them in the frame, px; the search starts there.

    Returns:
        Places (the expected one where a patch is not found again), and which were found.
    """
    there, found = there_and_back(key, frame, places, expected, ROUND_TRIP_PX)
    found &= np.linalg.norm(there - expected, axis=1) < FARTHEST_PX
    return np.where(found[:, None], there, expected), found

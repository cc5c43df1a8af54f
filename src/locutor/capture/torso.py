"""The torso as a second tracked body: it follows neither the head nor the world."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float, UInt8
from numpy import ndarray

from locutor.core.camera import Camera
from locutor.geometry.rotation import matrix_from_rotvec

MIN_INLIERS = 15


@dataclass(frozen=True)
class TorsoTrack:
    """Image motion of the torso against its look in the reference frame, a similarity per frame.

    Attributes:
        image_motion: [T, 2, 3]; x -> A[:, :2] @ x + A[:, 2], px.
        inlier_share: share of the tracked features that agree, per frame; 0 where the track was lost.
        method: how it was followed: one of `METHODS`, or "nothing to follow".
    """

    image_motion: Float[ndarray, "T 2 3"]
    inlier_share: Float[ndarray, " T"]
    method: str = "features"

    def save(self, path: Path) -> None:
        """Write as npz."""
        np.savez(path, **vars(self))

    @staticmethod
    def load(path: Path) -> TorsoTrack:
        """Read what `save` wrote."""
        with np.load(path) as data:
            return TorsoTrack(data["image_motion"], data["inlier_share"], str(data["method"]))


def track_torso(
    grey_frame: Callable[[int], UInt8[ndarray, "H W"]],
    n_frames: int,
    reference: int,
    torso_mask: UInt8[ndarray, "H W"],
) -> TorsoTrack:
    """Lucas-Kanade from the reference frame outwards, a similarity by RANSAC.

    Args:
        grey_frame: reads one frame.
        reference: the frame that the motion is measured against.
        torso_mask: where clothes are in the reference frame.
    """
    reference_image = grey_frame(reference)
    features = cv2.goodFeaturesToTrack(reference_image, 200, 0.005, 5, mask=torso_mask)
    motion = np.tile(np.eye(2, 3), (n_frames, 1, 1))
    share = np.zeros(n_frames)
    share[reference] = 1.0
    if features is None or len(features) < MIN_INLIERS:
        return TorsoTrack(motion, share)
    for frames in (range(reference, n_frames), range(reference - 1, -1, -1)):
        current = np.eye(2, 3)
        for k in frames:
            current, share[k] = _follow(reference_image, grey_frame(k), features, current)
            motion[k] = current
    return TorsoTrack(motion, share)


def _follow(
    reference: UInt8[ndarray, "H W"],
    image: UInt8[ndarray, "H W"],
    features: Float[ndarray, "M 1 2"],
    guess: Float[ndarray, "2 3"],
) -> tuple[Float[ndarray, "2 3"], float]:
    start = (features[:, 0] @ guess[:, :2].T + guess[:, 2]).astype(np.float32).reshape(-1, 1, 2)
    there, found, _ = cv2.calcOpticalFlowPyrLK(
        reference, image, features, start, winSize=(31, 31), maxLevel=2, flags=cv2.OPTFLOW_USE_INITIAL_FLOW
    )
    ok = found[:, 0] > 0
    if ok.sum() < MIN_INLIERS:
        return guess, 0.0
    fit, inliers = cv2.estimateAffinePartial2D(features[ok], there[ok], ransacReprojThreshold=1.5)
    if fit is None or inliers.sum() <= MIN_INLIERS:
        return guess, 0.0
    return fit, float(inliers.mean())


def torso_poses(
    track: TorsoTrack, R_reference: Float[ndarray, "3 3"], xyz_reference: Float[ndarray, " 3"], camera: Camera
) -> tuple[Float[ndarray, "T 3 3"], Float[ndarray, "T 3"]]:
    """Lift the image similarities to rigid poses that project to the same motion.

    A turn in the image plane is a turn about the optical axis, a scale is a change of depth.

    Returns:
        R_world_torso and its translation; at the reference frame they equal the head's reference pose.
    """
    A = track.image_motion
    angle = np.arctan2(A[:, 1, 0], A[:, 0, 0])
    scale = np.hypot(A[:, 1, 0], A[:, 0, 0])
    R_axis = matrix_from_rotvec(np.stack([0 * angle, 0 * angle, angle], 1))
    centre = np.array([camera.cx, camera.cy])
    shift_px = A[:, :, :2] @ centre + A[:, :, 2] - centre
    xyz = R_axis @ xyz_reference
    xyz[:, 2] = xyz_reference[2] / scale
    xyz[:, :2] += shift_px * (xyz[:, 2:] / camera.focal_px)
    return R_axis @ R_reference, xyz

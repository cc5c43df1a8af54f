"""The torso as a second tracked body: it follows neither the head nor the world."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float, UInt8
from numpy import ndarray

from locutor.capture.flow import lucas_kanade
from locutor.core.archive import load_arrays
from locutor.core.camera import Camera
from locutor.geometry.rotation import matrix_from_rotvec

MIN_INLIERS = 15
TRUSTED_SHARE, BEARABLE_LOST = 0.5, 0.02  # a track of features that needs no second opinion
FEATURES, ENHANCED, DENSE = METHODS = ("features", "enhanced features", "dense flow")
NOTHING = "nothing to follow"
GRID_PX = 6  # between the points at which dense flow is read
N_JUDGED = 25
LEAST_GAIN = 0.01  # correlation by which a way must beat those before it, the first of which is standing still


@dataclass(frozen=True)
class TorsoTrack:
    """Image motion of the torso against its look in the reference frame, a similarity per frame.

    Attributes:
        image_motion: [T, 2, 3]; x -> A[:, :2] @ x + A[:, 2], px.
        inlier_share: share of the tracked features that agree, per frame; 0 where the track was lost.
        method: how it was followed: one of `METHODS`, or "nothing to follow".
        reference: the reference frame.
    """

    image_motion: Float[ndarray, "T 2 3"]
    inlier_share: Float[ndarray, " T"]
    method: str = FEATURES
    reference: int = 0

    @property
    def is_trusted(self) -> bool:
        """Whether features of the plain picture agree, so that no second opinion is needed."""
        return bool(self.inlier_share.mean() >= TRUSTED_SHARE and (self.inlier_share == 0).mean() <= BEARABLE_LOST)

    def save(self, path: Path) -> None:
        """Write as npz."""
        np.savez(path, **vars(self))

    @staticmethod
    def load(path: Path) -> TorsoTrack:
        """Read what `save` wrote."""
        data = load_arrays(path)
        return TorsoTrack(data["image_motion"], data["inlier_share"], str(data["method"]), int(data["reference"]))


def track_torso(
    grey_frame: Callable[[int], UInt8[ndarray, "H W"]],
    n_frames: int,
    references: Sequence[int],
    torso_mask: Callable[[int], UInt8[ndarray, "H W"]],
) -> TorsoTrack:
    """Follow the torso from a reference frame outwards, a similarity per frame by RANSAC.

    The track judges itself. Where the features of no reference's plain picture agree, the same is tried, from the best
    of them, with the local contrast raised (dark or plain clothes) and with dense flow (soft shading); the track under
    which the reference looks most like the other frames is taken.

    Args:
        grey_frame: reads one frame; called from several threads.
        references: frames that the motion may be measured against, the best known first: a fold or a shadow that comes
            and goes can make a single one useless.
        torso_mask: where clothes are in a reference frame.
    """
    doubtful: list[TorsoTrack] = []
    for reference in references:
        track = _track(grey_frame, n_frames, reference, torso_mask(reference), FEATURES)
        if track.is_trusted:
            return track
        doubtful.append(track)
    plain = max(doubtful, key=lambda track: track.inlier_share.mean())
    reference = plain.reference
    mask, enhanced = torso_mask(reference), _Enhanced(grey_frame)
    ways = [plain, *(_track(enhanced, n_frames, reference, mask, method) for method in METHODS[1:])]
    best = _still(n_frames, reference)
    best_score = agreement(best, enhanced, reference, mask)
    for track in ways:
        score = agreement(track, enhanced, reference, mask)
        if score > best_score + LEAST_GAIN:
            best, best_score = track, score
    return best


def _still(n_frames: int, reference: int) -> TorsoTrack:
    share = np.zeros(n_frames)
    share[reference] = 1.0
    return TorsoTrack(np.tile(np.eye(2, 3), (n_frames, 1, 1)), share, NOTHING, reference)


def agreement(
    track: TorsoTrack,
    grey_frame: Callable[[int], UInt8[ndarray, "H W"]],
    reference: int,
    torso_mask: UInt8[ndarray, "H W"],
) -> float:
    """How alike the clothes look in the reference and, moved back, in frames spread over the clip: mean correlation."""
    n_frames = len(track.image_motion)
    own = _smooth(grey_frame(reference))
    inside = torso_mask > 0
    if inside.sum() < MIN_INLIERS:
        return 0.0
    found = []
    for k in np.unique(np.linspace(0, n_frames - 1, min(n_frames, N_JUDGED)).astype(int)):
        moved = cv2.warpAffine(
            _smooth(grey_frame(int(k))),
            track.image_motion[k],
            own.shape[::-1],
            flags=cv2.WARP_INVERSE_MAP | cv2.INTER_LINEAR,
        )
        a, b = own[inside], moved[inside]
        spread = a.std() * b.std()
        found.append(float(((a - a.mean()) * (b - b.mean())).mean() / spread) if spread > 0 else 0.0)
    return float(np.mean(found))


def _smooth(grey: UInt8[ndarray, "H W"]) -> Float[ndarray, "H W"]:
    return cv2.GaussianBlur(grey.astype(np.float32), (0, 0), 1.0)


class _Enhanced:
    """Frames with the local contrast raised; noise is smoothed away first."""

    def __init__(self, grey_frame: Callable[[int], UInt8[ndarray, "H W"]]) -> None:
        self._grey_frame = grey_frame

    def __call__(self, k: int) -> UInt8[ndarray, "H W"]:
        equalise = cv2.createCLAHE(clipLimit=6.0, tileGridSize=(8, 8))  # one for each call: it is no thread's friend
        return np.asarray(equalise.apply(cv2.GaussianBlur(self._grey_frame(k), (0, 0), 1.0)))


def _track(
    grey_frame: Callable[[int], UInt8[ndarray, "H W"]],
    n_frames: int,
    reference: int,
    torso_mask: UInt8[ndarray, "H W"],
    method: str,
) -> TorsoTrack:
    reference_image = grey_frame(reference)
    nothing = _still(n_frames, reference)
    motion, share = nothing.image_motion, nothing.inlier_share
    if method == DENSE:
        inside = cv2.erode(torso_mask, np.ones((GRID_PX, GRID_PX), np.uint8))
        rows, columns = np.nonzero(inside[::GRID_PX, ::GRID_PX])
        features: ndarray | None = GRID_PX * np.stack([columns, rows], 1).astype(np.float32)[:, None]
        follow = _follow_dense
    else:
        features = cv2.goodFeaturesToTrack(reference_image, 200, 0.005, 5, mask=torso_mask)
        follow = _follow
    if features is None or len(features) < MIN_INLIERS:
        return nothing

    def follow_through(frames: range) -> None:
        current = np.eye(2, 3)
        for k in frames:
            current, share[k] = follow(reference_image, grey_frame(k), features, current)
            motion[k] = current

    outwards(reference, n_frames, follow_through)
    return TorsoTrack(motion, share, method, reference)


def outwards(reference: int, n_frames: int, follow: Callable[[range], None]) -> None:
    """From the reference frame to the end and from the frame before it to the beginning, in two threads."""
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(follow, (range(reference, n_frames), range(reference - 1, -1, -1))))


def _follow_dense(
    reference: UInt8[ndarray, "H W"],
    image: UInt8[ndarray, "H W"],
    features: Float[ndarray, "M 1 2"],
    guess: Float[ndarray, "2 3"],
) -> tuple[Float[ndarray, "2 3"], float]:
    """Dense inverse search (Kroeger et al. 2016) between the reference and the picture moved back by the guess."""
    moved = cv2.warpAffine(image, guess, image.shape[::-1], flags=cv2.WARP_INVERSE_MAP | cv2.INTER_LINEAR)
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    flow = np.asarray(search.calc(reference, moved, np.zeros((*reference.shape, 2), np.float32)))
    start = features[:, 0]
    columns, rows = start.astype(int).T
    there = (start + flow[rows, columns]) @ guess[:, :2].T + guess[:, 2]
    return _similarity(start, there, guess)


def _follow(
    reference: UInt8[ndarray, "H W"],
    image: UInt8[ndarray, "H W"],
    features: Float[ndarray, "M 1 2"],
    guess: Float[ndarray, "2 3"],
) -> tuple[Float[ndarray, "2 3"], float]:
    expected = features[:, 0] @ guess[:, :2].T + guess[:, 2]
    there, found = lucas_kanade(reference, image, features[:, 0], expected, levels=2, window_px=31)
    return _similarity(features[found, 0], there[found], guess)


def _similarity(
    start: Float[ndarray, "m 2"], there: Float[ndarray, "m 2"], guess: Float[ndarray, "2 3"]
) -> tuple[Float[ndarray, "2 3"], float]:
    """The motion that most points share, and their share; the guess and 0 without enough of them."""
    if len(start) < MIN_INLIERS:
        return guess, 0.0
    fit, inliers = cv2.estimateAffinePartial2D(start, there, ransacReprojThreshold=1.5)
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

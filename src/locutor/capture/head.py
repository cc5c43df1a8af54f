"""The head pose of every frame: landmarks, bundle adjustment, patches of a keyframe found again, optical flow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, UInt8
from numpy import ndarray

from locutor.capture.flow import FLOW_POINTS, residual_flow, residual_series, rms
from locutor.capture.follow import follow_points
from locutor.capture.keyframe import keyframes, own_depths, patch_depths
from locutor.capture.mean_face import with_mean_depth
from locutor.capture.track import FlowField, RigidTrack, Weights, refine, refine_with_shape
from locutor.core.archive import load_arrays
from locutor.core.camera import Camera
from locutor.core.face import OUTER_EYE_CORNERS, RIGID
from locutor.geometry.rotation import mean_rotation, rotvec_from_matrix
from locutor.geometry.similarity import fit_similarities

FREE_DEPTH = 0.2  # inter-ocular units by which patches may lie off the mean head where they are free
FLOW_ROWS = np.array([RIGID.index(p) for p in FLOW_POINTS])


@dataclass(frozen=True)
class HeadTrack:
    """The finished track and how steady it is.

    Attributes:
        rigid: poses and rigid points.
        residual_flow_px: RMS residual on points that the fit did not see, px per frame, by a fit on the others.
        residual_flow_landmarks_px: the same by landmarks and smoothness only, for comparison.
        residual_flow_raw_px: the same of the landmarks' pose frame by frame, without any smoothing or adjustment.
        residual_series_px: length of the residual in every step from a frame to the next; nan where nothing is seen.
        raw_series_px: the same of the landmarks' pose frame by frame.
        alike_share: share of the patches of skin that look as in the keyframe; 0 without a face.
        worn: whether the patches lie off the skin, on glasses or hair, and got depths of their own.
    """

    rigid: RigidTrack
    residual_flow_px: float
    residual_flow_landmarks_px: float
    residual_flow_raw_px: float
    residual_series_px: Float[ndarray, " T1"]
    raw_series_px: Float[ndarray, " T1"]
    alike_share: Float[ndarray, " T"]
    worn: bool

    def save(self, path: Path) -> None:
        """Write as npz."""
        values = {"figures": [self.residual_flow_px, self.residual_flow_landmarks_px, self.residual_flow_raw_px]}
        series = {"series": self.residual_series_px, "raw_series": self.raw_series_px}
        series |= {"alike_share": self.alike_share, "worn": np.array(self.worn)}
        np.savez(path, **vars(self.rigid), **values, **series)  # type: ignore[arg-type]

    @staticmethod
    def load(path: Path) -> HeadTrack:
        """Read what `save` wrote."""
        data = load_arrays(path)
        rigid = RigidTrack(*(data[name] for name in ("R_mean", "w", "xyz", "points", "sigma_px")))
        residual, landmarks, raw = data["figures"].tolist()
        series = data["series"], data["raw_series"], data["alike_share"]
        return HeadTrack(rigid, residual, landmarks, raw, *series, bool(data["worn"]))


def track_head(
    landmarks: Float[ndarray, "T 478 3"],
    observed: Bool[ndarray, " T"],
    camera: Camera,
    grey_frame: Callable[[int], UInt8[ndarray, "H W"]],
    cuts: Sequence[int] = (),
) -> HeadTrack:
    """Track the head through a clip.

    Args:
        landmarks: MediaPipe points, px (z in px too), IMAGE mode: VIDEO mode filters and lags.
        observed: False where no face was found (the landmarks there are interpolated).
        camera: fixed; the focal length cannot be observed at the pose ranges of talking people.
        grey_frame: reads one frame; called from several threads.
        cuts: frames with which a new shot begins: neither flow nor smoothness reaches across.
    """
    rigid = landmarks[:, RIGID].astype(np.float64)
    raw = _initial_track(rigid, observed, camera)
    trust = np.repeat(observed[:, None].astype(np.float64), rigid.shape[1], 1)
    given = rigid[..., :2], trust, camera
    track = refine_with_shape(raw, *given, Weights(shape=0.055, depth=0.003), 6, cuts)
    track = refine_with_shape(track, *given, Weights(shape=0.0033, acceleration_px=0.15), 6, cuts)
    by_landmarks = track
    keys = keyframes(track, observed, cuts)
    flow, sighting, alike = follow_points(grey_frame, track.project(camera), FLOW_ROWS, keys, cuts)
    px, trust = sighting.filled(rigid[..., :2], observed)
    # The landmarks have flattened the shape. Begin again, and hold on to it: expressions pass for depth as well.
    track = replace(track, points=raw.points, sigma_px=raw.sigma_px)
    shape = Weights(shape=0.005, depth=0.0005, acceleration_px=0.3)
    free = refine_with_shape(track, px, trust, camera, replace(shape, depth=FREE_DEPTH), 6, cuts)
    by_patches = (free.points - raw.points)[:, 2], raw.points[:, 2], trust.mean(0) / free.sigma_px**2
    depths, worn = patch_depths(own_depths(sighting, rigid[..., :2], observed, by_landmarks, camera), *by_patches)
    track = replace(track, points=raw.points + depths[:, None] * [0, 0, 1])
    track = refine_with_shape(track, px, trust, camera, shape, 8, cuts)
    with_flow = Weights(landmark_scale=0.7, flow_px=0.2, acceleration_px=0.12)
    judged = trust.copy()
    judged[:, FLOW_ROWS[1::2]] = 0
    half = refine(track, px, judged, camera, with_flow, _only(flow, FLOW_ROWS[0::2]), iterations=5, cuts=cuts)
    judge = _only(flow, FLOW_ROWS[1::2])
    finished = refine(track, px, trust, camera, with_flow, flow, iterations=5, cuts=cuts)
    series, raw_series = residual_series(half, camera, judge), residual_series(raw, camera, judge)
    by_landmarks_px = residual_flow(by_landmarks, camera, judge)
    figures = rms(series), by_landmarks_px, rms(raw_series)
    return HeadTrack(finished, *figures, series, raw_series, alike * observed, worn)


def _only(flow: FlowField, rows: ndarray) -> FlowField:
    keep = np.zeros(flow.trusted.shape[1], bool)
    keep[rows] = True
    return FlowField(flow.flow, flow.trusted & keep)


def _initial_track(rigid: Float[ndarray, "T M 3"], observed: Bool[ndarray, " T"], camera: Camera) -> RigidTrack:
    """Rigid points by averaging aligned frames, with the depth of people; poses by weak perspective."""
    sample = rigid[observed][::5]
    shape = sample[0] - sample[0].mean(0)
    for _ in range(3):
        scale, R, t = fit_similarities(sample, np.broadcast_to(shape, sample.shape))
        shape = np.median(scale[:, None, None] * sample @ np.swapaxes(R, 1, 2) + t[:, None], axis=0)
    shape -= shape.mean(0)
    corners = [RIGID.index(p) for p in OUTER_EYE_CORNERS]
    shape /= np.linalg.norm(shape[corners[0]] - shape[corners[1]])
    shape = with_mean_depth(shape)
    scale, R, t = fit_similarities(shape, rigid)
    focal = np.full(len(t), camera.focal_px)
    xyz = np.column_stack([t[:, 0] - camera.cx, t[:, 1] - camera.cy, focal]) / scale[:, None]
    R_mean = mean_rotation(R[observed])
    w = rotvec_from_matrix(R @ R_mean.T)
    return RigidTrack(R_mean, w, xyz, shape, np.full(len(shape), 0.7))

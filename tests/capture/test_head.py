"""The whole head tracker on drawn pictures, and landmarks with noise."""

from dataclasses import dataclass

import cv2
import numpy as np
import pytest
from tests.synthetic.errors import jitter_deg, rms_deg, rotation_errors
from tests.synthetic.performer import draw, take, true_landmarks, true_tracking

from locutor.capture.head import HeadTrack, track_head
from locutor.capture.track import RigidTrack
from locutor.core.camera import Camera

N = 40
NOISE_PX = 0.6
CAMERA = Camera(320, 320, 2.34 * 320, 160.0, 160.0)


@dataclass(frozen=True)
class Case:
    track: HeadTrack
    errors: np.ndarray


@pytest.fixture(scope="module")
def pictures() -> list[np.ndarray]:
    done = take()
    motion = true_tracking(done).motion
    return [cv2.cvtColor(draw(done, motion, k, CAMERA)[0], cv2.COLOR_RGB2GRAY) for k in range(N)]


def run(pictures: list[np.ndarray], observed: np.ndarray) -> Case:
    rng = np.random.default_rng(0)
    landmarks = true_landmarks(take(), CAMERA)[:N]
    landmarks += rng.normal(0, NOISE_PX, landmarks.shape).astype(np.float32)
    known = np.flatnonzero(observed)
    nearest = known[np.abs(np.arange(N)[:, None] - known).argmin(1)]
    with pytest.MonkeyPatch.context() as patch:  # the drawn person is a mask, far flatter than people are
        patch.setattr("locutor.capture.head.with_mean_depth", lambda points: points)
        track = track_head(landmarks[nearest], observed, CAMERA, pictures.__getitem__)
    return Case(track, rotation_errors(track.rigid.R_world_head, take().R_world_head[:N]))


@pytest.fixture(scope="module")
def seen(pictures: list[np.ndarray]) -> Case:
    return run(pictures, np.ones(N, bool))


def test_the_turn_is_right(seen: Case):
    assert rms_deg(seen.errors) < 1.2  # a third of a pixel; sharper bounds are in test_track.py
    assert jitter_deg(seen.errors) < 0.4


def test_the_unit_is_the_distance_of_the_outer_eye_corners(seen: Case):
    assert seen.track.rigid.xyz[:, 2].mean() == pytest.approx(take().head_xyz[:N, 2].mean(), rel=0.05)


def test_the_residual_flow_tells_of_the_jitter_of_landmarks_alone(seen: Case):
    assert seen.track.residual_flow_px < 0.05
    assert seen.track.residual_flow_landmarks_px > 2 * seen.track.residual_flow_px


def test_frames_without_a_face(pictures: list[np.ndarray]):
    observed = np.ones(N, bool)
    observed[[0, 20, 21, 22, N - 1]] = False
    case = run(pictures, observed)
    track: RigidTrack = case.track.rigid
    assert np.isfinite(track.w).all()
    assert np.isfinite(track.xyz).all()
    assert rms_deg(case.errors[20:23]) < 1.5
    assert rms_deg(case.errors[[0, N - 1]]) < 3

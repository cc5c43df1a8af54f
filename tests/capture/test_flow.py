from dataclasses import replace

import cv2
import numpy as np
import pytest

from locutor.capture.flow import FLOW_POINTS, ROUND_TRIP_PX, lucas_kanade, residual_flow
from locutor.capture.follow import follow_points
from locutor.capture.track import FlowField, RigidTrack
from locutor.core.camera import Camera
from locutor.core.face import RIGID

SIZE = 160
CAMERA = Camera(SIZE, SIZE, 400.0, SIZE / 2, SIZE / 2)
N = 8


@pytest.fixture(scope="module")
def track() -> RigidTrack:
    """A flat plate that slides: every point moves alike."""
    x, y = np.meshgrid(np.linspace(-1, 1, 5), np.linspace(-1, 1, 5))
    points = np.stack([x.ravel(), y.ravel(), 0 * x.ravel()], 1)
    t = np.arange(N)
    xyz = np.stack([0.04 * t, 0.02 * t - 0.1, np.full(N, 10.0)], 1)
    return RigidTrack(np.eye(3), np.zeros((N, 3)), xyz, points, np.ones(25))


@pytest.fixture(scope="module")
def frames(track: RigidTrack) -> list[np.ndarray]:
    """Waves that slide exactly; warping pictures would round to 1/32 px."""
    rng = np.random.default_rng(0)
    waves = rng.normal(0, 0.35, (40, 2)), rng.uniform(0, 6, 40)  # rad per px
    y, x = np.mgrid[:SIZE, :SIZE]

    def texture(dx: float, dy: float) -> np.ndarray:
        phase = np.multiply.outer(waves[0][:, 0], x - dx) + np.multiply.outer(waves[0][:, 1], y - dy)
        return (128 + 12 * np.cos(phase + waves[1][:, None, None]).sum(0)).clip(0, 255).round().astype(np.uint8)

    seen = track.project(CAMERA)
    return [texture(*shift) for shift in seen[:, 0] - seen[0, 0]]


def flow_of(frames: list[np.ndarray], seen: np.ndarray) -> FlowField:
    return follow_points(frames.__getitem__, seen, np.arange(seen.shape[1]), [0])[0]


def jittered(track: RigidTrack, sigma: float) -> RigidTrack:
    return replace(track, xyz=track.xyz + np.random.default_rng(1).normal(0, (sigma, sigma, 0), track.xyz.shape))


def test_flow_is_the_motion_of_the_points(track, frames):
    seen = track.project(CAMERA)
    flow = flow_of(frames, seen)
    assert flow.trusted.mean() > 0.95
    error = (flow.flow - np.diff(seen, axis=0))[flow.trusted]
    assert np.abs(error).max() < 0.15


def test_residual_is_small_for_a_true_track_and_large_for_jitter(track, frames):
    flow = flow_of(frames, track.project(CAMERA))
    px = CAMERA.focal_px / track.xyz[0, 2]
    assert residual_flow(track, CAMERA, flow) < 0.03
    shaky = jittered(track, sigma=0.5 / px)  # half a pixel
    steps = np.diff(shaky.xyz - track.xyz, axis=0)[:, :2] * px
    expected = np.sqrt((steps**2).sum(1).mean())
    assert residual_flow(shaky, CAMERA, flow) == pytest.approx(expected, rel=0.1)


def test_a_track_that_lags_is_found_out(track, frames):
    flow = flow_of(frames, track.project(CAMERA))
    stuck = replace(track, xyz=np.tile(track.xyz[:1], (N, 1)))
    speed = np.linalg.norm(np.diff(track.project(CAMERA), axis=0)[0, 0])
    assert residual_flow(stuck, CAMERA, flow) == pytest.approx(speed, rel=0.05)


def test_what_cannot_be_followed_is_not_trusted(track, frames):
    rng = np.random.default_rng(2)
    unrelated = [frames[0], rng.integers(0, 255, frames[0].shape).astype(np.uint8)]
    flow = flow_of(unrelated, track.project(CAMERA)[:2])
    assert flow.trusted.mean() < 0.5
    assert ROUND_TRIP_PX < 1


def test_nothing_trusted_is_not_a_number(track):
    nothing = FlowField(np.zeros((N - 1, 25, 2)), np.zeros((N - 1, 25), bool))
    assert np.isnan(residual_flow(track, CAMERA, nothing))


def test_the_points_are_rigid_ones():
    assert set(FLOW_POINTS) <= set(RIGID)


@pytest.mark.parametrize("middle", [(80, 80), (20, 140), (300, 80)])
def test_a_search_in_a_part_of_the_picture_finds_what_one_in_all_of_it_does(frames, middle):
    points = np.array(middle) + np.array([[-6.0, 3], [5, 8], [0.5, -7.25]])
    there, found = lucas_kanade(frames[0], frames[1], points, points + 1, levels=1)
    start = [(points + shift).astype(np.float32).reshape(-1, 1, 2) for shift in (0, 1)]
    whole, seen, _ = cv2.calcOpticalFlowPyrLK(
        frames[0], frames[1], *start, winSize=(25, 25), maxLevel=1, flags=cv2.OPTFLOW_USE_INITIAL_FLOW
    )
    np.testing.assert_array_equal(found, seen[:, 0] > 0)
    np.testing.assert_allclose(there[found], whole[found, 0], atol=0.02)


def test_the_clip_is_shared_by_threads_without_a_seam(track, frames, monkeypatch):
    given = frames.__getitem__, track.project(CAMERA), np.arange(5, 20), [3, 6], [6]
    flow, sighting, alike = follow_points(*given)
    monkeypatch.setattr("locutor.capture.follow.N_THREADS", 1)
    alone, seen_alone, alike_alone = follow_points(*given)
    np.testing.assert_array_equal(flow.flow, alone.flow)
    np.testing.assert_array_equal(flow.trusted, alone.trusted)
    np.testing.assert_array_equal(sighting.px, seen_alone.px)
    np.testing.assert_array_equal(alike, alike_alone)
    assert alike[[3, 6]] == pytest.approx(1)
    assert not flow.trusted[5].any()  # across the cut
    assert not flow.trusted[:, [0, 4, 20]].any()
    assert flow.trusted[:, 5:20].mean() > 0.8

"""The rigid track against poses that are known."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from tests.synthetic.errors import jitter_deg, rms_deg, rotation_errors

from locutor.capture.track import FlowField, RigidTrack, Weights, refine, refine_with_shape
from locutor.core.camera import Camera
from locutor.geometry.rotation import matrix_from_rotvec, mean_rotation, rotvec_from_matrix

CAMERA = Camera(512, 512, 1198.0, 256.0, 256.0)
NOISE_PX = 0.5


@dataclass(frozen=True)
class Problem:
    true: RigidTrack
    landmarks_px: np.ndarray
    observed: np.ndarray
    flow: FlowField
    start: RigidTrack


def make_problem(n_frames: int = 75, n_points: int = 60, noise_px: float = NOISE_PX, seed: int = 0) -> Problem:
    rng = np.random.default_rng(seed)
    xy = rng.uniform(-0.8, 0.8, (n_points, 2))
    points = np.concatenate([xy, 0.5 * (xy**2).sum(1, keepdims=True)], 1)
    points -= points.mean(0)
    t = np.arange(n_frames) / 25
    w = np.stack([0.12 * np.sin(2.1 * t), 0.2 * np.sin(1.5 * t + 1), 0.08 * np.sin(3 * t + 2)], 1)
    xyz = np.stack([0.2 * np.sin(1.2 * t), 0.1 * np.cos(2 * t), 14 + 0.4 * np.sin(0.9 * t)], 1)
    true = RigidTrack(np.eye(3), w, xyz, points, np.full(n_points, noise_px + 0.15))
    R_mean = mean_rotation(true.R_world_head)
    true = replace(true, R_mean=R_mean, w=rotvec_from_matrix(true.R_world_head @ R_mean.T))
    seen = true.project(CAMERA)
    flow = seen[1:] - seen[:-1] + rng.normal(0, 0.02, seen[1:].shape)
    start = replace(
        true,
        w=true.w + rng.normal(0, 0.03, w.shape),
        xyz=true.xyz + rng.normal(0, (0.03, 0.03, 0.3), xyz.shape),
        points=points + rng.normal(0, 0.02, points.shape),
        sigma_px=np.full(n_points, 0.7),
    )
    return Problem(
        true,
        seen + rng.normal(0, noise_px, seen.shape),
        np.ones(n_frames, bool),
        FlowField(flow, np.ones(flow.shape[:2], bool)),
        start,
    )


def solve(problem: Problem) -> tuple[RigidTrack, RigidTrack]:
    """Landmarks alone, then with flow: as `head.track_head` does it."""
    given = problem.landmarks_px, problem.observed, CAMERA
    rough = refine(problem.start, *given, Weights(shape=0.055), learn_sigma=True)
    alone = refine(rough, *given, Weights(shape=0.0033, acceleration_px=0.15), learn_sigma=True)
    weights = Weights(landmark_scale=4.3, flow_px=0.15, acceleration_px=0.6)
    return rough, refine(alone, *given, weights, problem.flow)


def test_exact_landmarks_give_the_exact_track():
    problem = make_problem(noise_px=0.0)
    known = replace(problem.start, points=problem.true.points)
    found = refine(known, problem.landmarks_px, problem.observed, CAMERA, Weights(), iterations=6)
    np.testing.assert_allclose(found.w, problem.true.w, atol=1e-6)
    np.testing.assert_allclose(found.xyz, problem.true.xyz, atol=1e-4)


def test_noisy_landmarks_and_flow_give_the_pose_within_a_third_of_a_degree():
    problem = make_problem()
    _, found = solve(problem)
    errors = rotation_errors(found.R_world_head, problem.true.R_world_head)
    assert rms_deg(errors) < 0.3
    assert np.degrees(np.linalg.norm(errors, axis=1)).max() < 0.6


def test_flow_takes_the_jitter_out():
    problem = make_problem()
    alone, found = solve(problem)
    before = jitter_deg(rotation_errors(alone.R_world_head, problem.true.R_world_head))
    after = jitter_deg(rotation_errors(found.R_world_head, problem.true.R_world_head))
    assert after < before / 20


def test_the_image_of_the_points_is_right_to_a_fraction_of_the_noise():
    problem = make_problem()
    _, found = solve(problem)
    error = found.project(CAMERA) - problem.true.project(CAMERA)
    assert np.sqrt((error**2).mean()) < NOISE_PX / 2


def test_frames_without_a_face_are_bridged():
    problem = make_problem()
    gap = slice(30, 36)
    observed, landmarks_px = problem.observed.copy(), problem.landmarks_px.copy()
    observed[gap] = False
    landmarks_px[gap] = landmarks_px[gap, :1] + 300  # whatever stands there must not count
    blind = replace(problem, observed=observed, landmarks_px=landmarks_px)
    _, found = solve(blind)
    errors = rotation_errors(found.R_world_head, problem.true.R_world_head)
    assert rms_deg(errors[gap]) < 0.4
    no_flow = FlowField(problem.flow.flow, problem.flow.trusted.copy())
    no_flow.trusted[28:37] = False
    _, found = solve(replace(blind, flow=no_flow))
    assert rms_deg(rotation_errors(found.R_world_head, problem.true.R_world_head)[gap]) < 3.0


def test_a_few_wild_landmarks_do_no_harm():
    problem = make_problem()
    wild = problem.landmarks_px.copy()
    wild[20:40, :4] += 25
    _, found = solve(replace(problem, landmarks_px=wild))
    assert rms_deg(rotation_errors(found.R_world_head, problem.true.R_world_head)[20:40]) < 0.4


def test_wild_flow_does_no_harm():
    problem = make_problem()
    flow = problem.flow.flow.copy()
    flow[:, :6] += 5
    _, found = solve(replace(problem, flow=FlowField(flow, problem.flow.trusted)))
    assert rms_deg(rotation_errors(found.R_world_head, problem.true.R_world_head)) < 0.4


def test_untrusted_flow_does_not_count():
    problem = make_problem(n_frames=20)
    nonsense = FlowField(problem.flow.flow + 100, np.zeros_like(problem.flow.trusted))
    given = problem.landmarks_px, problem.observed, CAMERA, Weights(acceleration_px=0.5)
    np.testing.assert_allclose(
        refine(problem.start, *given, flow=nonsense).w, refine(problem.start, *given, flow=None).w, atol=1e-12
    )


def test_points_that_stray_are_trusted_less():
    problem = make_problem()
    rng = np.random.default_rng(1)
    strays = problem.landmarks_px.copy()
    strays[:, :10] += rng.normal(0, 2.0, strays[:, :10].shape)
    found = refine(problem.start, strays, problem.observed, CAMERA, Weights(shape=0.055), learn_sigma=True)
    assert found.sigma_px[:10].min() > 2 * found.sigma_px[10:].max()


@pytest.mark.parametrize("terms", [("flow",), ("acceleration",), ("shape", "acceleration"), ("flow", "acceleration")])
def test_a_step_is_the_gauss_newton_step_of_numeric_derivatives(terms):
    """The dense problem, its Jacobian by central differences, against the banded analytic one."""
    problem = make_problem(n_frames=7, n_points=6, noise_px=0.05)
    start = replace(
        problem.true,
        w=problem.true.w + 1e-4 * np.random.default_rng(3).normal(size=(7, 3)),
        points=problem.true.points + (1e-4 if "shape" in terms else 0),
        sigma_px=np.linspace(1, 2, 6),
    )
    weights = Weights(
        landmark_scale=2.0,
        flow_px=0.5,
        acceleration_px=2.0 if "acceleration" in terms else None,
        shape=0.03 if "shape" in terms else None,
    )
    flow = problem.flow if "flow" in terms else None
    px = CAMERA.focal_px / start.xyz[:, 2].mean()
    scale = np.array([px] * 5 + [0.5 * px / start.xyz[:, 2].mean()]) / 2.0
    n_pose = 7 * 6

    def track_at(x: np.ndarray) -> RigidTrack:
        pose = x[:n_pose].reshape(7, 6)
        return replace(start, w=pose[:, :3], xyz=pose[:, 3:], points=x[n_pose:].reshape(6, 3))

    def residuals(x: np.ndarray) -> np.ndarray:
        track = track_at(x)
        seen = track.project(CAMERA)
        parts = [(seen - problem.landmarks_px) / (2.0 * start.sigma_px[:, None])]
        if "flow" in terms:
            parts.append((seen[1:] - seen[:-1] - problem.flow.flow) / 0.5)
        if "acceleration" in terms:
            pose = x[:n_pose].reshape(7, 6)
            parts.append((pose[:-2] - 2 * pose[1:-1] + pose[2:]) * scale)
        if "shape" in terms:
            parts.append((track.points - start.points) / 0.03)
        return np.concatenate([p.ravel() for p in parts])

    x0 = np.concatenate([np.concatenate([start.w, start.xyz], 1).ravel(), start.points.ravel()])
    n_free = len(x0) if "shape" in terms else n_pose
    h = 1e-5
    J = np.stack([(residuals(x0 + h * e) - residuals(x0 - h * e)) / (2 * h) for e in np.eye(len(x0))[:n_free]], 1)
    step = -np.linalg.solve(J.T @ J + 1e-6 * np.eye(n_free), J.T @ residuals(x0))
    expected = track_at(x0 + np.pad(step, (0, len(x0) - n_free)))
    found = refine(start, problem.landmarks_px, problem.observed, CAMERA, weights, flow, iterations=1)
    size = np.abs(step).max()
    for name in ("w", "xyz", "points"):
        np.testing.assert_allclose(getattr(found, name), getattr(expected, name), atol=1e-3 * size, err_msg=name)


def test_the_shape_settles_between_its_start_and_the_landmarks():
    problem = make_problem(n_frames=20)
    given = problem.landmarks_px, problem.observed, CAMERA

    def moved(shape: float, iterations: int) -> np.ndarray:
        return refine(problem.start, *given, Weights(shape=shape), iterations=iterations).points - problem.start.points

    tight, loose = moved(0.002, 8), moved(0.05, 8)
    assert 0 < np.abs(tight).max() < 0.5 * np.abs(loose).max()
    np.testing.assert_allclose(moved(0.002, 24), tight, atol=0.1 * np.abs(tight).max())  # it does not creep on


def test_rotations_compose_the_mean_and_the_vectors():
    track = make_problem(n_frames=5).true
    expected = matrix_from_rotvec(track.w[3]) @ track.R_mean
    np.testing.assert_allclose(track.R_world_head[3], expected, atol=1e-12)
    world = track.points @ expected.T + track.xyz[3]
    np.testing.assert_allclose(track.project(CAMERA)[3], CAMERA.project(world), atol=1e-9)


def test_the_shape_of_a_long_clip_is_learnt_from_seconds_of_it(monkeypatch):
    problem = make_problem(n_frames=300)
    trust = np.ones(problem.landmarks_px.shape[:2])
    given = problem.landmarks_px, trust, CAMERA, Weights(shape=0.02, depth=0.002, acceleration_px=0.5), 6
    whole = refine_with_shape(problem.start, *given, cuts=[140])
    monkeypatch.setattr("locutor.capture.track.SHAPE_FRAMES", 100)
    sampled = refine_with_shape(problem.start, *given, cuts=[140])
    assert (sampled.points != whole.points).any()
    start = np.abs(problem.start.points - whole.points).mean()
    assert np.abs(sampled.points - whole.points).mean() < 0.25 * start
    assert np.degrees(np.abs(sampled.w - whole.w).max()) < 0.3

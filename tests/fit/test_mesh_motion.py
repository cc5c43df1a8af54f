"""The face mesh's motion with the controls, against the synthetic person's, and a field that starts with it."""

import numpy as np
import torch
from tests.synthetic.performer import person

from locutor.capture.performance import Performance
from locutor.capture.regions import find_regions
from locutor.core.face import LIP_GAP_ROWS
from locutor.evaluate.pictures import psnr_db
from locutor.fit.config import TrainConfig
from locutor.fit.field import TrainableField
from locutor.fit.mesh_motion import FADE, N_MESH, MeshMotion, fit_mesh_motion
from locutor.fit.training import Training


def widest_and_tightest(performance: Performance, frames: range) -> tuple[int, int]:
    (face,) = performance.tracking.motion.require("face")
    upper, lower = LIP_GAP_ROWS
    gap = face[frames, lower, 1] - face[frames, upper, 1]
    return frames[int(gap.argmax())], frames[int(gap.argmin())]


def test_from_closed_to_open_the_mesh_moves_as_the_person_does(performance: Performance, mesh_motion: MeshMotion):
    wide, tight = widest_and_tightest(performance, range(performance.n_train))
    grown = mesh_motion.controls[wide] - mesh_motion.controls[tight]
    moved = np.einsum("jvc,j->vc", mesh_motion.shapes, grown)
    truth = person().mesh_opening[:N_MESH]
    share = (moved * truth).sum() / (truth**2).sum()  # the widest frame may not be wide open
    assert 0.7 < share <= 1.05
    assert np.abs(moved - share * truth).max() < 0.1 * np.abs(truth).max()


def test_the_held_out_part_has_no_say(performance: Performance, control_space, mesh_motion: MeshMotion):
    landmarks = performance.tracking.landmarks
    before = landmarks[performance.n_train :].copy()
    landmarks[performance.n_train :] += 7
    try:
        again = fit_mesh_motion(performance, control_space, 24)
    finally:
        landmarks[performance.n_train :] = before
    np.testing.assert_array_equal(again.shapes, mesh_motion.shapes)
    assert len(again.controls) == performance.n_train


def test_fewer_bases_follow_fewer_controls(performance: Performance, control_space, mesh_motion: MeshMotion):
    few = fit_mesh_motion(performance, control_space, 3)
    np.testing.assert_array_equal(few.shapes, mesh_motion.shapes[:3])
    assert fit_mesh_motion(performance, control_space, 99).shapes.shape == (24, N_MESH, 3)


def grid_motion() -> tuple[MeshMotion, np.ndarray]:
    """A mesh of random points, of which each moves by a linear function of its place."""
    mesh_px = np.random.default_rng(0).uniform(0, 100, (N_MESH, 2)).astype(np.float32)
    mesh_px[:4] = [[0, 0], [0, 100], [100, 0], [100, 100]]
    shapes = np.stack([np.concatenate([mesh_px, mesh_px[:, :1]], 1), np.full((N_MESH, 3), 2.0)]).astype(np.float64)
    return MeshMotion(shapes, np.zeros((1, 2))), mesh_px


def test_inside_of_the_mesh_places_move_with_their_triangle():
    motion, mesh_px = grid_motion()
    places = np.random.default_rng(1).uniform(5, 95, (50, 2))
    moved = motion.at(places, mesh_px, 50.0)
    np.testing.assert_allclose(moved[:, 0, :2], places, atol=1e-3)
    np.testing.assert_allclose(moved[:, 1], 2, atol=1e-9)


def test_outside_the_motion_dies_away():
    motion, mesh_px = grid_motion()
    unit_px = 50.0
    places = np.array([[100 + far * FADE * unit_px, 100.0] for far in (1e-6, 1, 2, 5)])
    np.testing.assert_allclose(
        motion.at(places, mesh_px, unit_px)[:, 1, 0], 2 * np.exp([0, -0.5, -2, -12.5]), rtol=0.01
    )


def test_a_field_that_follows_is_the_shapes_times_the_controls():
    torch.manual_seed(0)
    field = TrainableField(7, torch.zeros(4, 9, 20), 0.99, 1e-15)
    shapes = torch.randn(2, 3, 20)
    field.follow(shapes)
    controls = torch.randn(7)
    delta = field.delta(field.network(controls))
    torch.testing.assert_close(delta[:3], torch.einsum("jcm,j->cm", shapes, controls[:2]))
    assert not delta[3:].any()


def test_an_unseen_open_mouth_is_open_before_the_first_step(performance: Performance):
    training = Training(performance, TrainConfig(n_gaussians=4000, n_mouth=200, n_bases=12, n_iterations=10))
    k, _ = widest_and_tightest(performance, range(performance.n_train, len(performance)))
    left, top, right, bottom = find_regions(performance.tracking.landmarks, performance.camera.width).mouth[k]

    def mouth_db() -> float:
        return psnr_db(performance.frames.rgb(k)[top:bottom, left:right], training.picture(k)[top:bottom, left:right])

    following = mouth_db()
    training.model.face.bases.zero_()
    assert following > mouth_db() + 1

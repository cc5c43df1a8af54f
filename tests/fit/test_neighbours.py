import numpy as np
import torch

from locutor.capture.performance import Performance
from locutor.fit.config import TrainConfig
from locutor.fit.frame_feed import feed_frames
from locutor.fit.neighbours import N_NEIGHBOURS, draw_together, neighbourhood
from locutor.fit.training import DRAWN_TOGETHER_EVERY, Training

M, K = 400, 3


def sheet(seed: int = 0) -> torch.Tensor:
    """Points of a bent sheet."""
    xy = torch.rand(M, 2, generator=torch.Generator().manual_seed(seed))
    return torch.cat([xy, 0.1 * xy[:, :1].square()], 1)


def noise(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


def test_nobody_is_its_own_neighbour_and_the_near_count_more():
    index, weight = neighbourhood(sheet())
    assert index.shape == weight.shape == (M, N_NEIGHBOURS)
    assert not (index == torch.arange(M)[:, None]).any()
    assert (weight[:, :-1] >= weight[:, 1:]).all()
    assert (weight.sum(1) < 1).all()


def test_what_moves_together_goes_on_doing_so():
    bases = noise(K, 9, 1).expand(K, 9, M).contiguous()
    before = bases.clone()
    draw_together(bases, sheet(), 0.5)
    torch.testing.assert_close(bases, before)


def test_noise_is_averaged_and_what_is_smooth_over_the_face_stays():
    means = sheet()
    smooth = torch.sin(2 * means[:, 0]).expand(K, 9, M).clone()
    rough = 0.3 * noise(K, 9, M)
    bases = smooth + rough
    draw_together(bases, means, 0.5)
    left = (bases - smooth)[:, :3].std() / rough[:, :3].std()
    assert left < 0.7
    kept = smooth.clone()
    draw_together(kept, means, 0.5)
    assert (kept - smooth).abs().mean() < 0.02 * smooth.std()


def test_sizes_and_turns_are_left_alone():
    bases = noise(K, 9, M)
    before = bases.clone()
    draw_together(bases, sheet(), 0.5)
    assert torch.equal(bases[:, 3:], before[:, 3:])
    assert not torch.equal(bases[:, :3], before[:, :3])


def test_one_that_is_far_from_all_keeps_its_own_movement():
    means = sheet()
    means[7] = torch.tensor([9.0, 9.0, 9.0])
    bases = noise(K, 9, M)
    before = bases.clone()
    draw_together(bases, means, 0.5)
    torch.testing.assert_close(bases[:, :, 7], before[:, :, 7])


def test_few_gaussians_have_few_neighbours():
    bases = noise(K, 9, 3)
    draw_together(bases, sheet()[:3], 0.5)
    assert torch.isfinite(bases).all()
    np.testing.assert_array_equal(neighbourhood(sheet()[:2])[0], [[1], [0]])


def test_training_draws_neighbours_together_less_and_less(performance: Performance):
    def roughness_left(iteration: int) -> float:
        training = Training(performance, TrainConfig(n_gaussians=600, n_mouth=20, n_bases=2, n_iterations=1000))
        field, means = training.model.face, training.model.canonical.means
        field.bases += noise(*field.bases.shape)
        index, _ = neighbourhood(means[: len(field)])
        training.iteration = iteration
        training.step(next(feed_frames(performance, training.config, 0)))
        return float((field.bases[:, :3] - field.bases[:, :3, index[:, 0]]).std())

    untouched, early, late = (roughness_left(i) for i in (1, DRAWN_TOGETHER_EVERY - 1, 10 * DRAWN_TOGETHER_EVERY - 1))
    assert early < 0.6 * untouched
    assert early < 0.9 * late
    assert late < untouched

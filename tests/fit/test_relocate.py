import pytest
import torch

from locutor.fit.model import TrainableAvatar
from locutor.fit.relocate import DEAD_OPACITY, MAX_SHARE, SHRINK, PullMeter, relocate
from locutor.splat.bodies import CanonicalGaussians

N, N_MOVING, K, K_TORSO = 200, 120, 3, 2
DEAD_MOVING, DEAD_STILL = [3, 50, 119], [120, 199]
DEAD = DEAD_MOVING + DEAD_STILL


@pytest.fixture
def avatar() -> TrainableAvatar:
    """Two bodies with a few transparent Gaussians each, and Adam's moments as after a step."""
    generator = torch.Generator().manual_seed(0)

    def randn(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator)

    logit_opacities = torch.full((N,), 2.0)
    logit_opacities[DEAD] = -8.0
    attachment = torch.cat([torch.full((N_MOVING,), 5.0), torch.full((N - N_MOVING,), -5.0)])
    canonical = CanonicalGaussians(
        means=randn(N, 3),
        quats=randn(N, 4),
        log_scales=torch.full((N, 3), -4.0),
        logit_opacities=logit_opacities,
        colors=randn(N, 3),
        logit_attachment=attachment,
    )
    model = TrainableAvatar(canonical, K, 28, K_TORSO, seed=0)
    with torch.no_grad():
        model.face.bases += randn(K, 9, N_MOVING)
        model.torso.bases += randn(K_TORSO, 3, N - N_MOVING)
    for parameter in model.optimiser.parameters.values():
        parameter.grad = randn(*parameter.shape)
    model.optimiser.step(dict.fromkeys(model.optimiser.parameters, 0.0))
    model.face.optimiser.step(0.0, randn(K), randn(9, N_MOVING))
    return model


def meter(favourites: list[int]) -> PullMeter:
    pull = torch.zeros(N)
    pull[favourites] = 1.0
    return PullMeter(pull)


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(1)


def test_the_dead_become_twins_of_those_that_are_pulled_at(avatar):
    before = {name: t.detach().clone() for name, t in vars(avatar.canonical).items()}
    bases = avatar.face.bases.detach().clone()
    torso_bases = avatar.torso.bases.detach().clone()
    parents_moving, parents_still = [10, 11], [150]
    assert relocate(avatar, meter(parents_moving + parents_still), generator()) == 3  # as many as there are parents
    for group, parents in ((DEAD_MOVING[:2], parents_moving), (DEAD_STILL[:1], parents_still)):
        for twin in group:
            match = [p for p in parents if torch.equal(avatar.canonical.colors[twin], before["colors"][p])]
            assert len(match) == 1, "a twin has the colour of one parent"
            parent = match[0]
            torch.testing.assert_close(avatar.canonical.quats[twin], before["quats"][parent])
            assert avatar.canonical.logit_opacities[twin] == 2.0
            for shrunk in (twin, parent):
                expected = before["log_scales"][parent] - SHRINK
                torch.testing.assert_close(avatar.canonical.log_scales[shrunk], expected)
            away = (avatar.canonical.means[twin] - before["means"][parent]).norm()
            assert 0 < away < 5 * torch.exp(torch.tensor(-4.0)) * 3
            if twin < N_MOVING:
                torch.testing.assert_close(avatar.face.bases[:, :, twin], bases[:, :, parent])
            else:
                of_parent = torso_bases[:, :, parent - N_MOVING]
                torch.testing.assert_close(avatar.torso.bases[:, :, twin - N_MOVING], of_parent)


def test_count_and_bystanders_stay(avatar):
    before = {name: t.detach().clone() for name, t in vars(avatar.canonical).items()}
    bases = avatar.face.bases.detach().clone()
    relocate(avatar, meter([10, 11, 150]), generator())
    others = [i for i in range(N) if i not in (*DEAD, 10, 11, 150)]
    for name, old in before.items():
        assert getattr(avatar.canonical, name).shape == old.shape
        torch.testing.assert_close(getattr(avatar.canonical, name)[others], old[others], rtol=0, atol=0)
    still = [i for i in others if i < N_MOVING]
    torch.testing.assert_close(avatar.face.bases[:, :, still], bases[:, :, still], rtol=0, atol=0)


def test_moving_ones_stay_among_the_moving_and_still_ones_among_the_still(avatar):
    relocate(avatar, meter(list(range(N))), generator())
    assert (avatar.canonical.logit_attachment[:N_MOVING] == 5).all()
    assert (avatar.canonical.logit_attachment[N_MOVING:] == -5).all()


def test_both_optimisers_forget_what_was_moved_and_nothing_else(avatar):
    relocate(avatar, meter(list(range(N))), generator())
    alive = [i for i in range(N) if i not in DEAD]
    for name in vars(avatar.canonical):
        for moment in (avatar.optimiser.first[name], avatar.optimiser.second[name]):
            assert not moment[DEAD].any()
            assert (moment[alive] != 0).all()
    rows = avatar.face.optimiser.rows
    assert not rows[:, DEAD_MOVING].any()
    assert (rows[:, [i for i in alive if i < N_MOVING]] != 0).all()


def test_at_most_a_share_at_once(avatar):
    with torch.no_grad():
        avatar.canonical.logit_opacities[:60] = -8.0
    assert relocate(avatar, meter(list(range(N))), generator()) == int(MAX_SHARE * N_MOVING) + len(DEAD_STILL)


def test_without_a_pull_nothing_moves(avatar):
    before = avatar.canonical.means.detach().clone()
    assert relocate(avatar, meter([]), generator()) == 0
    assert relocate(avatar, meter(DEAD), generator()) == 0  # the dead are no parents
    assert torch.equal(avatar.canonical.means, before)


def test_without_the_dead_nothing_moves(avatar):
    with torch.no_grad():
        avatar.canonical.logit_opacities.fill_(torch.logit(torch.tensor(DEAD_OPACITY * 1.1)))
    assert relocate(avatar, meter(list(range(N))), generator()) == 0


def test_the_meter_starts_anew(avatar):
    counted = meter([10])
    relocate(avatar, counted, generator())
    assert not counted.pull.any()


def test_the_meter_sums_the_pull_in_the_picture_plane():
    means = torch.zeros(2, 3, requires_grad=True)
    counted = PullMeter(torch.zeros(2))
    counted.add(means)
    assert not counted.pull.any()
    means.grad = torch.tensor([[1.0, -2.0, 100.0], [0.5, 0.0, 0.0]])
    counted.add(means)
    counted.add(means)
    assert counted.pull.tolist() == [6.0, 1.0]

"""The bases' optimiser, native and in PyTorch."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from locutor.fit.adafactor import Adafactor
from locutor.fit.adafactor_torch import TorchAdafactor
from locutor.fit.factored_moments import FactoredMoments
from locutor.splat.engine import Engine, available_isas

BETA, EPSILON = 0.99, 1e-15
SCALE = torch.tensor([0.3, 0.3, 0.3, 1.0, 1.0, 1.0, 2.0, 2.0, 2.0])


def randn(*shape: int, seed: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(params=["torch", *available_isas()])
def make(request: pytest.FixtureRequest):
    def one(bases: Tensor) -> FactoredMoments:
        if request.param == "torch":
            return TorchAdafactor(bases, SCALE, BETA, EPSILON)
        return Adafactor(bases, SCALE, BETA, EPSILON, Engine(2, request.param))

    return one


def test_it_is_adam_without_momentum_where_the_second_moment_is_separable(make) -> None:
    """Coefficients whose size never changes: then the factors are exact."""
    size = torch.tensor([0.5, 2.0, 1e-3, 7.0])
    ours = make(randn(4, 9, 21, seed=0))
    truth = ours.bases.double().requires_grad_()
    adam = torch.optim.Adam([truth], lr=0.01, betas=(0.0, BETA), eps=EPSILON)
    for step in range(50):
        coefficients, d_delta = size * randn(4, seed=100 + step).sign(), randn(9, 30, seed=200 + step)
        ours.step(0.01, coefficients, d_delta)
        truth.grad = (coefficients[:, None, None] * (d_delta[:, :21] * SCALE[:, None])).double()
        adam.step()
    torch.testing.assert_close(ours.bases.double(), truth.detach(), rtol=2e-5, atol=2e-5)


@settings(deadline=None, max_examples=30)
@given(
    st.integers(1, 7),
    st.sampled_from([3, 9]),
    st.integers(0, 90),
    st.integers(0, 9),
    st.integers(0, 9),
    st.integers(1, 3),
    st.sampled_from(available_isas()),
)
def test_native_code_agrees_with_its_twin(
    n_bases: int, n_rows: int, m: int, before: int, after: int, threads: int, isa: str
) -> None:
    start = randn(n_bases, n_rows, m, seed=n_bases)
    native = Adafactor(start.clone(), SCALE[:n_rows], BETA, EPSILON, Engine(threads, isa))
    twin = TorchAdafactor(start.clone(), SCALE[:n_rows], BETA, EPSILON)
    for step in range(4):
        d_delta = randn(9, before + m + after, seed=50 + step) * 10.0 ** (2 * step - 6)
        coefficients = randn(n_bases, seed=step)
        coefficients[0] *= step > 1
        found = [one.step(0.01, coefficients, d_delta, before) for one in (native, twin)]
        torch.testing.assert_close(*found, rtol=1e-4, atol=1e-5 * (1 + d_delta.abs().sum().item()))
    if m:
        for name in ("bases", "columns", "rows"):
            torch.testing.assert_close(getattr(native, name), getattr(twin, name), rtol=1e-4, atol=1e-6)


def test_the_coefficients_gradient_is_that_of_the_bases_before_the_step(make) -> None:
    bases, coefficients = randn(3, 9, 40, seed=1), randn(3, seed=2).requires_grad_()
    d_delta = randn(9, 44, seed=3)
    moved = SCALE[:, None] * torch.einsum("k,kcm->cm", coefficients, bases)
    moved.backward(d_delta[:, :40])
    torch.testing.assert_close(make(bases).step(0.1, coefficients.detach(), d_delta), coefficients.grad)


def test_it_finds_a_product_of_two_factors(make) -> None:
    """Least squares of the moved Gaussians with new coefficients in each step."""
    wanted = randn(3, 9, 7, seed=1)
    ours = make(torch.zeros(3, 9, 7))
    for step in range(2000):
        coefficients = randn(3, seed=step)
        d_delta = SCALE[:, None] * torch.einsum("k,kcm->cm", coefficients, ours.bases - wanted)
        ours.step(0.02 * 0.05 ** (step / 2000), coefficients, d_delta)
    assert (ours.bases - wanted).abs().max() < 0.02


def test_what_never_got_a_gradient_stays(make) -> None:
    start = randn(3, 9, 6, seed=0)
    ours = make(start.clone())
    for step in range(5):
        coefficients, d_delta = randn(3, seed=step), randn(9, 6, seed=step)
        coefficients[1] = d_delta[:, 4] = 0.0
        ours.step(0.1, coefficients, d_delta)
    moved = ours.bases != start
    assert not moved[1].any()
    assert not moved[:, :, 4].any()
    assert moved[[0, 2]][:, :, [0, 1, 2, 3, 5]].all()
    assert ours.bases.isfinite().all()


def test_a_restored_one_goes_on_exactly_and_forgetting_clears_the_named(make) -> None:
    straight = make(randn(3, 9, 6, seed=0))
    for step in range(3):
        straight.step(0.1, randn(3, seed=step), randn(9, 6, seed=step))
    resumed = make(straight.bases.clone())
    resumed.restore(straight.state())
    for one in (straight, resumed):
        one.step(0.1, randn(3, seed=9), randn(9, 6, seed=9))
    assert torch.equal(straight.bases, resumed.bases)
    straight.forget(torch.tensor([1, 4]))
    assert not straight.rows[:, [1, 4]].any()
    assert straight.rows[:, [0, 2, 3, 5]].all()


def test_wrong_input_is_refused() -> None:
    with pytest.raises(ValueError, match="bases is not contiguous"):
        Adafactor(torch.zeros(4, 9, 3).permute(2, 1, 0), SCALE)
    ours = Adafactor(torch.zeros(3, 9, 4), SCALE)
    with pytest.raises(ValueError, match="coefficients"):
        ours.step(0.1, torch.ones(2), torch.ones(9, 4))
    with pytest.raises(ValueError, match="d_delta"):
        ours.step(0.1, torch.ones(3), torch.ones(9, 3))
    with pytest.raises(ValueError, match="d_delta must be"):
        ours.step(0.1, torch.ones(3), torch.ones(9, 6), 3)
    assert ours.steps == 0

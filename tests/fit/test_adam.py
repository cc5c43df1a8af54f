"""The native Adam against torch.optim.Adam."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from locutor.fit.adam import Adam
from locutor.splat.engine import Engine, available_isas

BETAS, EPSILON = (0.9, 0.99), 1e-15


@pytest.fixture(params=available_isas())
def engine(request: pytest.FixtureRequest) -> Engine:
    return Engine(2, request.param)


def randn(*shape: int, seed: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def agrees(engine: Engine, shapes: list[tuple[int, ...]], n_steps: int, epsilon: float = EPSILON) -> None:
    """Both from the same start, with the same gradients and a rate that falls; torch in float64."""
    start = {str(i): randn(*shape, seed=i) for i, shape in enumerate(shapes)}
    ours = Adam({name: t.clone() for name, t in start.items()}, BETAS, epsilon, engine)
    truth = [t.double().requires_grad_() for t in start.values()]
    twin = torch.optim.Adam(truth, betas=BETAS, eps=epsilon)
    for step in range(n_steps):
        rate = 0.01 * 0.97**step
        for i, (mine, other) in enumerate(zip(ours.parameters.values(), truth, strict=True)):
            mine.grad = randn(*mine.shape, seed=1000 + 10 * step + i) * 10.0 ** (i - 2)
            other.grad = mine.grad.double()
        ours.step(dict.fromkeys(start, rate))
        twin.param_groups[0]["lr"] = rate
        twin.step()
    for mine, other in zip(ours.parameters.values(), truth, strict=True):
        torch.testing.assert_close(mine.double(), other.detach(), rtol=1e-6, atol=3e-6)


def test_fifty_steps_agree_with_torch(engine) -> None:
    agrees(engine, [(5,), (33, 3), (2, 9, 17), (20_000,), ()], 50)
    agrees(engine, [(33, 3)], 50, epsilon=1e-2)


@settings(deadline=None, max_examples=30)
@given(
    st.lists(st.lists(st.integers(0, 40), max_size=3).map(tuple), min_size=1, max_size=4),
    st.integers(1, 3),
    st.sampled_from(available_isas()),
)
def test_any_shapes_agree(shapes: list[tuple[int, ...]], threads: int, isa: str) -> None:
    agrees(Engine(threads, isa), shapes, 3)


def test_what_gets_no_gradient_for_long_comes_to_rest(engine) -> None:
    """Never NaN, no denormal numbers: 0 / (0 + epsilon) stays 0."""
    ours = Adam({"x": torch.ones(40)}, BETAS, EPSILON, engine)
    ours.parameters["x"].grad = torch.zeros(40)
    ours.step({"x": 0.1})
    assert torch.equal(ours.parameters["x"], torch.ones(40))
    ours.parameters["x"].grad = torch.full((40,), 1e-3)
    ours.step({"x": 0.1})
    ours.parameters["x"].grad = torch.zeros(40)
    for _ in range(900):
        ours.step({"x": 0.1})
    assert not ours.first["x"].any()
    at_rest = ours.parameters["x"].clone()
    ours.step({"x": 0.1})
    assert torch.equal(ours.parameters["x"], at_rest)
    assert at_rest.isfinite().all()


def test_a_restored_adam_goes_on_exactly() -> None:
    straight = Adam({"x": randn(100, seed=0)}, BETAS, EPSILON)
    resumed = Adam({"x": torch.empty(100)}, BETAS, EPSILON)
    for step in range(6):
        if step == 3:
            resumed.parameters["x"].copy_(straight.parameters["x"])
            resumed.restore(straight.state())
        gradient = randn(100, seed=step + 1)
        for adam in (straight, resumed) if step >= 3 else (straight,):
            adam.parameters["x"].grad = gradient
            adam.step({"x": 0.01})
    assert torch.equal(straight.parameters["x"], resumed.parameters["x"])


def test_forgetting_clears_the_moments_of_the_named_and_no_others() -> None:
    ours = Adam({"x": randn(3, 5, seed=0)}, BETAS, EPSILON)
    ours.parameters["x"].grad = torch.ones(3, 5)
    ours.step({"x": 0.01})
    ours.forget("x", torch.tensor([1, 4]), axis=1)
    for moment in (ours.first["x"], ours.second["x"]):
        assert not moment[:, [1, 4]].any()
        assert moment[:, [0, 2, 3]].all()


def test_wrong_input_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="means is not contiguous"):
        Adam({"means": torch.zeros(3, 4).T})
    with pytest.raises(ValueError, match=r"means is torch\.float64"):
        Adam({"means": torch.zeros(3).double()})
    adam = Adam({"means": torch.zeros(3, 4)})
    with pytest.raises(ValueError, match="means has no gradient"):
        adam.step({"means": 0.1})
    assert adam.steps == 0

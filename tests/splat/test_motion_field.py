"""The native motion field against its PyTorch twin, and the twin against what the field means."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from locutor.splat.engine import Engine, available_isas
from locutor.splat.motion_field import motion_field, motion_field_reference

SCALE = torch.tensor([0.3, 0.3, 0.3, 1, 1, 1, 2, 1, 1])


def field(n_bases: int, n_moving: int, n_rows: int = 9) -> tuple[torch.Tensor, torch.Tensor]:
    rng = torch.Generator().manual_seed(0)
    return torch.randn(n_bases, generator=rng), torch.randn(n_bases, n_rows, n_moving, generator=rng)


def agrees(engine: Engine, n_bases: int, n_moving: int, n_still: int, n_rows: int = 9) -> None:
    n = n_moving + n_still
    results = []
    for by, dtype in (
        (motion_field_reference, torch.float64),
        (lambda *a: motion_field(*a, engine), torch.float32),
    ):
        coefficients, bases = (t.to(dtype).requires_grad_() for t in field(n_bases, n_moving, n_rows))
        delta = by(coefficients, bases, SCALE[:n_rows].to(dtype), n)
        upstream = torch.randn(9, n, generator=torch.Generator().manual_seed(1)).to(dtype)
        delta.backward(upstream)
        results.append((delta, coefficients.grad, bases.grad))
    for truth, ours in zip(*results, strict=True):
        assert ours.shape == truth.shape
        assert (ours - truth).norm() <= 2e-6 * truth.norm() + 1e-6  # a sum of terms of about 1 may cancel
    assert not results[1][0][:, n_moving:].any()
    assert not results[1][0][n_rows:].any()


@pytest.mark.parametrize("n_moving", [1, 15, 1023, 1024, 1025, 3000])
def test_native_agrees_with_the_reference(engine, n_moving) -> None:
    agrees(engine, 7, n_moving, 130)


@settings(deadline=None, max_examples=40)
@given(
    st.integers(0, 9),
    st.integers(0, 2200),
    st.integers(0, 1200),
    st.sampled_from([1, 3, 9]),
    st.integers(1, 3),
    st.sampled_from(available_isas()),
)
def test_any_shape_agrees(n_bases: int, n_moving: int, n_still: int, n_rows: int, threads: int, isa: str) -> None:
    agrees(Engine(threads, isa), n_bases, n_moving, n_still, n_rows)


def test_the_reference_is_the_weighted_sum_where_it_acts() -> None:
    coefficients, bases = field(3, 5)
    delta = motion_field_reference(coefficients, bases, SCALE, 8)
    expected = sum(c * basis for c, basis in zip(coefficients, bases, strict=True)) * SCALE[:, None]
    torch.testing.assert_close(delta[:, :5], expected)
    assert not delta[:, 5:].any()


def test_gradients_of_the_reference_agree_with_finite_differences() -> None:
    coefficients, bases = (t.double().requires_grad_() for t in field(3, 4))
    assert torch.autograd.gradcheck(lambda c, b: motion_field_reference(c, b, SCALE.double(), 6), (coefficients, bases))


def test_gradients_of_the_native_field_agree_with_finite_differences(engine) -> None:
    """The field is linear in both: a difference of any size is exact but for rounding."""
    coefficients, bases = field(4, 70)
    upstream = torch.randn(9, 80, generator=torch.Generator().manual_seed(1))

    def value(c: torch.Tensor, b: torch.Tensor) -> float:
        return float((motion_field(c, b, SCALE, 80, engine).double() * upstream).sum())

    c, b = coefficients.clone().requires_grad_(), bases.clone().requires_grad_()
    (motion_field(c, b, SCALE, 80, engine) * upstream).sum().backward()
    for tensor, gradient, at in ((coefficients, c.grad, (2,)), (bases, b.grad, (1, 4, 69)), (bases, b.grad, (3, 0, 0))):
        before = value(coefficients, bases)
        tensor[at] += 1.0
        assert value(coefficients, bases) - before == pytest.approx(float(gradient[at]), rel=1e-4, abs=1e-4)
        tensor[at] -= 1.0


def test_the_gradient_does_not_depend_on_threads() -> None:
    gradients = []
    for threads in (1, 4):
        coefficients, bases = field(9, 5000)
        coefficients.requires_grad_()
        motion_field(coefficients, bases, SCALE, 5100, Engine(threads, available_isas()[-1])).square().sum().backward()
        gradients.append(coefficients.grad)
    assert torch.equal(*gradients)


def test_wrong_input_is_refused_by_name(engine) -> None:
    coefficients, bases = field(3, 300)
    with pytest.raises(ValueError, match=r"coefficients has shape \[2\], expected \[3\]"):
        engine.motion_field(coefficients[:2], bases, SCALE, torch.empty(9, 300))
    with pytest.raises(ValueError, match=r"delta must be \[9, N\] with N at least the M of bases"):
        motion_field(coefficients, bases, SCALE, 299, engine)
    with pytest.raises(ValueError, match=r"bases is torch\.float64"):
        motion_field(coefficients, bases.double(), SCALE, 300, engine)
    with pytest.raises(ValueError, match="coefficients holds a value that is NaN or infinite"):
        motion_field(torch.tensor([0.0, float("inf"), 0.0]), bases, SCALE, 300, engine)
    bases[2, 8, 299] = float("nan")
    with pytest.raises(ValueError, match="bases holds a value that is NaN, infinite or too large"):
        motion_field(coefficients, bases, SCALE, 300, engine)

"""The motion field: a weighted sum of bases moves the first Gaussians, the others stay. Native, with gradients."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from locutor.splat.cpu import native_input
from locutor.splat.engine import Engine, default_engine
from locutor.splat.motion_field_reference import motion_field_reference

__all__ = ["motion_field", "motion_field_reference"]


class _MotionField(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, engine: Engine, coefficients: Tensor, bases: Tensor, channel_scale: Tensor, n_gaussians: int
    ) -> Tensor:
        names = ("coefficients", "bases", "channel_scale")
        inputs = [native_input(t, n) for t, n in zip((coefficients, bases, channel_scale), names, strict=True)]
        delta = torch.empty(9, n_gaussians)
        engine.motion_field(*inputs, delta)
        ctx.engine = engine
        ctx.save_for_backward(*inputs)
        return delta

    @staticmethod
    def backward(ctx: Any, d_delta: Tensor) -> tuple[Tensor | None, ...]:
        coefficients, bases, channel_scale = ctx.saved_tensors
        _, for_coefficients, for_bases, *_ = ctx.needs_input_grad
        d_coefficients = d_bases = None
        if for_coefficients:
            d_coefficients = torch.empty_like(coefficients)
            ctx.engine.motion_field_backward(bases, channel_scale, d_delta.contiguous(), d_coefficients)
        if for_bases:
            d_bases = coefficients[:, None, None] * (
                d_delta[: bases.shape[1], : bases.shape[2]] * channel_scale[:, None]
            )
        return None, d_coefficients, d_bases, None, None


def motion_field(
    coefficients: Float[Tensor, " K"],
    bases: Float[Tensor, "K R M"],
    channel_scale: Float[Tensor, " R"],
    n_gaussians: int,
    engine: Engine | None = None,
) -> Float[Tensor, "9 N"]:
    """`delta[c, i] = channel_scale[c] sum_k coefficients[k] bases[k, c, i]` for c < R and i < M, else 0.

    Differentiable with respect to `coefficients` and `bases`. The gradient of the bases is the outer product of the
    coefficients and the scaled gradient of the result, as large as the bases: training gives `bases` without
    `requires_grad`, keeps the gradient of the result and gives the factors to `locutor.fit.adafactor`.

    Args:
        coefficients: one weight per basis, float32 on the CPU.
        bases: in units of `channel_scale`; they change the first R channels (at most 9) of the first M Gaussians.
        channel_scale: of the rows of `delta` (see `locutor.splat.posing.pose_gaussians`).
        n_gaussians: N, at least M.
        engine: threads and instruction set; the shared default if None.

    Raises:
        ValueError: a tensor has the wrong shape, dtype or device, or holds a value that is not finite.
    """
    return _MotionField.apply(engine or default_engine(), coefficients, bases, channel_scale, n_gaussians)

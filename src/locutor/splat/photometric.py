"""The photometric loss: L1 and SSIM with its gradient, fused in native code."""

from typing import Any

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from locutor.splat.cpu import native_input
from locutor.splat.engine import Engine, default_engine
from locutor.splat.photometric_reference import PhotometricLoss, photometric_loss_reference

__all__ = ["PhotometricLoss", "photometric_loss", "photometric_loss_reference"]


class _Photometric(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, engine: Engine, rendered: Tensor, target: Tensor, weight: Tensor, ssim_weight: float
    ) -> tuple[Tensor, float, float, float]:
        gradient = torch.empty(3, *rendered.shape[:2])
        loss, l1, ssim, mse = engine.photometric_loss(
            rendered.detach(), target.contiguous(), native_input(weight, "weight"), ssim_weight, gradient
        )
        ctx.save_for_backward(gradient.permute(1, 2, 0))
        return torch.tensor(loss, dtype=torch.float32), l1, ssim, mse

    @staticmethod
    def backward(ctx: Any, d_loss: Tensor, *_: Any) -> tuple[Tensor | None, ...]:
        (gradient,) = ctx.saved_tensors
        return None, gradient if d_loss.item() == 1 else gradient * d_loss, None, None, None


def photometric_loss(
    rendered: Float[Tensor, "H W 3"],
    target: UInt8[Tensor, "H W 3"],
    weight: Float[Tensor, "H W"],
    ssim_weight: float,
    engine: Engine | None = None,
) -> PhotometricLoss:
    """`(1 - s) mean(weight |rendered - target|) + s mean(weight (1 - SSIM))`, s being `ssim_weight`.

    SSIM with an 11x11 Gaussian window of 1.5 px and zero padding (Wang et al. 2004). Differentiable with respect to
    `rendered` only.

    Args:
        rendered: sRGB, float32 on the CPU, any memory layout (planar is fastest).
        target: sRGB bytes.
        weight: importance of each pixel, >= 0.
        ssim_weight: 0 to 1.
        engine: threads and instruction set; the shared default if None.

    Raises:
        ValueError: a tensor has the wrong shape, dtype or device.
    """
    if rendered.dtype != torch.float32 or rendered.device.type != "cpu":
        rendered = native_input(rendered, "rendered")
    if target.dtype != torch.uint8:
        raise ValueError(f"target is {target.dtype}; it must be uint8")
    return PhotometricLoss(*_Photometric.apply(engine or default_engine(), rendered, target, weight, ssim_weight))

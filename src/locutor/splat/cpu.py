"""The fast rasteriser: native code behind a `torch.autograd.Function`. Twin of `locutor.splat.reference`."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from locutor.core.camera import Camera
from locutor.splat.engine import Engine, default_engine
from locutor.splat.gaussians import Gaussians
from locutor.splat.rendering import Rendering


def native_input(tensor: Tensor, name: str) -> Tensor:
    """The tensor as native code takes it: contiguous, float32, on the CPU, without its graph.

    Raises:
        ValueError: it has another dtype or device.
    """
    if tensor.dtype != torch.float32 or tensor.device.type != "cpu":
        raise ValueError(f"{name} is {tensor.dtype} on {tensor.device}; the native kernels take float32 on the CPU")
    return tensor.detach().contiguous()


class _Rasterize(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, engine: Engine, camera: Camera, background: Tensor, *tensors: Tensor
    ) -> tuple[Tensor, Tensor]:
        names = ("means", "quats", "scales", "opacities", "colors")
        inputs = [native_input(t, name) for t, name in zip(tensors, names, strict=True)]
        planes = torch.empty(3, camera.height, camera.width)
        alpha = torch.empty(camera.height, camera.width)
        view = (camera.width, camera.height, camera.focal_px, camera.cx, camera.cy)
        ctx.frame = engine.rasterize(*inputs, view, background.detach(), planes, alpha)
        ctx.engine = engine
        ctx.set_materialize_grads(False)
        rgb = planes.permute(1, 2, 0)
        ctx.save_for_backward(*inputs, rgb, alpha)
        return rgb, alpha

    @staticmethod
    def backward(ctx: Any, d_rgb: Tensor | None, d_alpha: Tensor | None) -> tuple[Tensor | None, ...]:
        *inputs, rgb, alpha = ctx.saved_tensors
        zero = torch.zeros(())  # stands for a picture of zeros: native code reads any layout
        of_rgb = zero.expand_as(rgb) if d_rgb is None else d_rgb.detach()
        of_alpha = zero.expand_as(alpha) if d_alpha is None else d_alpha.detach()
        gradients = [torch.empty_like(t) for t in inputs]
        ctx.engine.rasterize_backward(ctx.frame, *inputs, rgb.detach(), alpha.detach(), of_rgb, of_alpha, *gradients)
        return None, None, None, *gradients


def rasterize(
    gaussians: Gaussians, camera: Camera, background: Float[Tensor, "H W 3"], engine: Engine | None = None
) -> Rendering:
    """Draw Gaussians over a background on the CPU, as specified in docs/rasteriser.md.

    Differentiable with respect to the five tensors of `gaussians`, through `rgb` and `alpha`; gradients do not
    depend on the number of threads. The background gets no gradient. It may have any memory layout; planar is fastest.

    Args:
        gaussians: float32, on the CPU.
        camera: its width and height must be those of `background`.
        background: sRGB, float32.
        engine: threads and instruction set; the shared default if None.

    Raises:
        ValueError: a tensor has the wrong shape, dtype or device, or holds a value that is not finite.
    """
    background = background if background.dtype == torch.float32 else native_input(background, "background")
    rgb, alpha = _Rasterize.apply(
        engine or default_engine(),
        camera,
        background,
        gaussians.means,
        gaussians.quats,
        gaussians.scales,
        gaussians.opacities,
        gaussians.colors,
    )
    return Rendering(rgb, alpha)

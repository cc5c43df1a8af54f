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
        ctx: Any, engine: Engine, camera: Camera, background: Tensor, extra: Tensor | None, *tensors: Tensor
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        names = ("means", "quats", "scales", "opacities", "colors")
        inputs = [native_input(t, name) for t, name in zip(tensors, names, strict=True)]
        values = None if extra is None else native_input(extra, "extra")
        planes = torch.empty(3, camera.height, camera.width)
        alpha = torch.empty(camera.height, camera.width)
        channels = values.shape[1] if values is not None and values.ndim == 2 else 0  # 0 is refused by name below
        extra_planes = None if values is None else torch.empty(channels, camera.height, camera.width)
        view = (camera.width, camera.height, camera.focal_px, camera.cx, camera.cy)
        ctx.frame = engine.rasterize(*inputs, values, view, background.detach(), planes, alpha, extra_planes)
        ctx.engine = engine
        ctx.set_materialize_grads(False)
        rgb = planes.permute(1, 2, 0)
        extra_picture = None if extra_planes is None else extra_planes.permute(1, 2, 0)
        ctx.save_for_backward(*inputs, rgb, alpha, values, extra_picture)
        return rgb, alpha, extra_picture

    @staticmethod
    def backward(
        ctx: Any, d_rgb: Tensor | None, d_alpha: Tensor | None, d_picture: Tensor | None
    ) -> tuple[Tensor | None, ...]:
        *inputs, rgb, alpha, values, picture = ctx.saved_tensors
        gradients = [torch.empty_like(t) for t in inputs]
        d_values = None if d_picture is None else torch.empty_like(values)
        more = None if d_picture is None else (values, picture.detach(), d_picture.detach(), d_values)
        images = (rgb.detach(), alpha.detach(), _or_zeros(d_rgb, rgb), _or_zeros(d_alpha, alpha))
        ctx.engine.rasterize_backward(ctx.frame, *inputs, *images, *gradients, more)
        return None, None, None, d_values, *gradients


def _or_zeros(gradient: Tensor | None, like: Tensor) -> Tensor:
    """Native code reads any layout, so one zero stands for a picture of zeros."""
    return torch.zeros(()).expand_as(like) if gradient is None else gradient.detach()


def rasterize(
    gaussians: Gaussians,
    camera: Camera,
    background: Float[Tensor, "H W 3"],
    extra: Float[Tensor, "N C"] | None = None,
    engine: Engine | None = None,
) -> Rendering:
    """Draw Gaussians over a background on the CPU, as specified in docs/rasteriser.md.

    Differentiable with respect to the five tensors of `gaussians` and to `extra`, through `rgb`, `alpha` and `extra`;
    gradients do not depend on the number of threads. The background gets no gradient. It may have any memory layout;
    planar is fastest.

    Args:
        gaussians: float32, on the CPU.
        camera: its width and height must be those of `background`.
        background: sRGB, float32.
        extra: C >= 1 further values of each Gaussian (depth, a layer), float32, drawn in the same pass into
            `Rendering.extra`: blended like colours, but over 0.
        engine: threads and instruction set; the shared default if None.

    Raises:
        ValueError: a tensor has the wrong shape, dtype or device, or holds a value that is not finite.
    """
    background = background if background.dtype == torch.float32 else native_input(background, "background")
    rgb, alpha, extra_picture = _Rasterize.apply(
        engine or default_engine(),
        camera,
        background,
        extra,
        gaussians.means,
        gaussians.quats,
        gaussians.scales,
        gaussians.opacities,
        gaussians.colors,
    )
    return Rendering(rgb, alpha, extra_picture)

"""The photometric loss in plain PyTorch: the truth that the native twin is tested against."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

WINDOW = 11  # px, side of the SSIM window
WINDOW_SIGMA = 1.5  # px
C1, C2 = 0.01**2, 0.03**2  # SSIM's constants for a range of 1


@dataclass(frozen=True)
class PhotometricLoss:
    """How far a picture is from its target.

    Attributes:
        loss: the weighted objective, differentiable with respect to the picture.
        l1, ssim: plain means over the picture, without the weight.
        mse: plain mean of the squared error of the picture clamped to [0, 1] (its PSNR is -10 log10(mse)).
    """

    loss: Float[Tensor, ""]
    l1: float
    ssim: float
    mse: float


def ssim_map(x: Float[Tensor, "H W 3"], y: Float[Tensor, "H W 3"]) -> Float[Tensor, "H W 3"]:
    """Structural similarity per pixel and channel (Wang et al. 2004, eq. 13), zero padding."""
    offset = torch.arange(WINDOW, dtype=x.dtype, device=x.device) - WINDOW // 2
    taps = torch.exp(-(offset**2) / (2 * WINDOW_SIGMA**2))
    taps = taps / taps.sum()
    window = (taps[:, None] * taps[None, :]).expand(3, 1, WINDOW, WINDOW)

    def blur(image: Tensor) -> Tensor:
        return torch.nn.functional.conv2d(image.permute(2, 0, 1), window, padding=WINDOW // 2, groups=3).permute(
            1, 2, 0
        )

    mean_x, mean_y = blur(x), blur(y)
    var_x = blur(x * x) - mean_x**2
    var_y = blur(y * y) - mean_y**2
    cov = blur(x * y) - mean_x * mean_y
    luminance = (2 * mean_x * mean_y + C1) / (mean_x**2 + mean_y**2 + C1)
    return luminance * (2 * cov + C2) / (var_x + var_y + C2)


def photometric_loss_reference(
    rendered: Float[Tensor, "H W 3"],
    target: UInt8[Tensor, "H W 3"],
    weight: Float[Tensor, "H W"],
    ssim_weight: float,
) -> PhotometricLoss:
    """Twin of `locutor.splat.photometric.photometric_loss`: same arguments and result, any dtype and device."""
    goal = target.to(rendered.dtype) / 255
    difference = (rendered - goal).abs()
    ssim = ssim_map(rendered, goal)
    per_value = (1 - ssim_weight) * difference + ssim_weight * (1 - ssim)
    mse = (rendered.detach().clamp(0, 1) - goal).square().mean()
    return PhotometricLoss(
        (weight[..., None] * per_value).mean(), difference.mean().item(), ssim.mean().item(), mse.item()
    )

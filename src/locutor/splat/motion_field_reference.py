"""The motion field in plain PyTorch: the truth that the native twin is tested against."""

import torch
from jaxtyping import Float
from torch import Tensor


def motion_field_reference(
    coefficients: Float[Tensor, " K"],
    bases: Float[Tensor, "K R M"],
    channel_scale: Float[Tensor, " R"],
    n_gaussians: int,
) -> Float[Tensor, "9 N"]:
    """Twin of `locutor.splat.motion_field.motion_field`: same arguments and result, any dtype and device.

    Here the gradient also flows to `channel_scale`.
    """
    moved = torch.einsum("k,kcm->cm", coefficients, bases) * channel_scale[:, None]
    return torch.nn.functional.pad(moved, (0, n_gaussians - bases.shape[2], 0, 9 - bases.shape[1]))

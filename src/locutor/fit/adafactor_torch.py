"""The optimiser of the motion field's bases in plain PyTorch, for any device."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from locutor.fit.factored_moments import FactoredMoments


class TorchAdafactor(FactoredMoments):
    """Twin of `locutor.fit.adafactor.Adafactor`: same arguments, attributes and state."""

    def __init__(
        self,
        bases: Float[Tensor, "K R M"],
        channel_scale: Float[Tensor, " R"],
        beta: float = 0.999,
        epsilon: float = 1e-8,
    ) -> None:
        super().__init__(bases, channel_scale, beta, epsilon)

    @torch.no_grad()
    def step(
        self, rate: float, coefficients: Float[Tensor, " K"], d_delta: Float[Tensor, "9 N"], first: int = 0
    ) -> Float[Tensor, " K"]:
        """Move the bases by about `rate` per entry.

        Args:
            rate: learning rate.
            coefficients: of this step's frame.
            d_delta: gradient of what `motion_field` made of them, in columns `first` to `first` + M.

        Returns:
            The gradient of the coefficients, from the bases before the step.
        """
        self.steps += 1
        row = d_delta[: self.bases.shape[1], first : first + self.bases.shape[2]] * self.channel_scale[:, None]
        d_coefficients = torch.einsum("kcm,cm->k", self.bases, row)
        column2, row2 = coefficients.square(), row.square()
        self.columns.lerp_(column2 * row2.mean(), 1 - self._beta)
        self.rows.lerp_(row2 * column2.mean(), 1 - self._beta)
        share = self.columns / self.columns.mean().clamp(min=torch.finfo(row.dtype).tiny)
        column = coefficients * torch.where(share > 0, share.rsqrt(), 0.0)
        direction = row / (self.rows.sqrt() / math.sqrt(1 - self._beta**self.steps) + self._epsilon)
        self.bases.view(len(column), -1).addr_(column, direction.flatten(), alpha=-rate)
        return d_coefficients

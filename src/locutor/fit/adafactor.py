"""The optimiser of the motion field's bases, in one native call. Twin of `locutor.fit.adafactor_torch`."""

import torch
from jaxtyping import Float
from torch import Tensor

from locutor.fit.factored_moments import FactoredMoments
from locutor.splat.cpu import native_input
from locutor.splat.engine import Engine, default_engine


class Adafactor(FactoredMoments):
    """Every basis is read once a step: for its coefficient's gradient and for its own change.

    As in `locutor.fit.adam`, roots and quotients are good to about 2^-22 and mean squares below 1e-36 become 0.

    Raises:
        ValueError: the bases are not contiguous float32 on the CPU.
    """

    def __init__(
        self,
        bases: Float[Tensor, "K R M"],
        channel_scale: Float[Tensor, " R"],
        beta: float = 0.999,
        epsilon: float = 1e-8,
        engine: Engine | None = None,
    ) -> None:
        if native_input(bases, "bases").data_ptr() != bases.data_ptr():
            raise ValueError("bases is not contiguous; Adafactor changes it in place")
        super().__init__(bases, channel_scale, beta, epsilon)
        self._engine = engine or default_engine()

    def step(
        self, rate: float, coefficients: Float[Tensor, " K"], d_delta: Float[Tensor, "9 N"], first: int = 0
    ) -> Float[Tensor, " K"]:
        """As `locutor.fit.adafactor_torch.TorchAdafactor.step`; does not depend on the number of threads."""
        d_coefficients = torch.empty_like(self.columns)
        self._engine.bases_step(
            self.bases,
            self.columns,
            self.rows,
            self.channel_scale,
            native_input(coefficients, "coefficients"),
            native_input(d_delta, "d_delta"),
            first,
            rate,
            self.steps + 1,
            self._beta,
            self._epsilon,
            d_coefficients,
        )
        self.steps += 1
        return d_coefficients

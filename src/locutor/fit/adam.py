"""Adam over all parameters in one native call. Twin of `torch.optim.Adam`, which it is tested against."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from locutor._native import AdamTensors
from locutor.fit.moments import Moments
from locutor.splat.cpu import native_input
from locutor.splat.engine import Engine, default_engine


class Adam(Moments):
    """Kingma & Ba 2015, algorithm 1, with float32 moments; every parameter moves in every step.

    Two deviations from `torch.optim.Adam`, both far below float32's grain in any use: roots and quotients are good to
    about 2^-22, and moments below 1e-30 (first) and 1e-36 (second) become 0, so that no denormal numbers slow it down.

    Raises:
        ValueError: a parameter is not contiguous float32 on the CPU.
    """

    def __init__(
        self,
        parameters: Mapping[str, Tensor],
        betas: tuple[float, float] = (0.9, 0.999),
        epsilon: float = 1e-8,
        engine: Engine | None = None,
    ) -> None:
        for name, parameter in parameters.items():
            if native_input(parameter, name).data_ptr() != parameter.data_ptr():
                raise ValueError(f"{name} is not contiguous; Adam changes it in place")
        super().__init__(parameters, betas, epsilon)
        tables = (self.parameters, self.first, self.second)
        self._native = AdamTensors(
            engine or default_engine(), *([t.detach().view(-1) for t in table.values()] for table in tables)
        )

    def step(self, rates: Mapping[str, float]) -> None:
        """Move every parameter by one step.

        Args:
            rates: learning rate of each parameter.

        Raises:
            ValueError: a parameter has no gradient, or one of another dtype or device.
        """
        gradients = []
        for name, parameter in self.parameters.items():
            if parameter.grad is None:
                raise ValueError(f"{name} has no gradient")
            gradients.append(native_input(parameter.grad, f"the gradient of {name}").view(-1))
        self.steps += 1
        rate_list = [rates[name] for name in self.parameters]
        self._native.step(gradients, rate_list, self.steps, *self._betas, self._epsilon)

"""Adam in plain PyTorch, for any device: what `locutor.fit.adam` does natively, behind the same calls."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from locutor.fit.moments import Moments


class TorchAdam(Moments):
    """Twin of `locutor.fit.adam.Adam`: same arguments, attributes and state. A handful of launches a step on a GPU."""

    def __init__(
        self, parameters: Mapping[str, Tensor], betas: tuple[float, float] = (0.9, 0.999), epsilon: float = 1e-8
    ) -> None:
        super().__init__(parameters, betas, epsilon)

    @torch.no_grad()
    def step(self, rates: Mapping[str, float]) -> None:
        """Move every parameter by one step (Kingma & Ba 2015, algorithm 1).

        Raises:
            ValueError: a parameter has no gradient.
        """
        gradients = [self._gradient(name) for name in self.parameters]
        first, second = list(self.first.values()), list(self.second.values())
        beta1, beta2 = self._betas
        self.steps += 1
        torch._foreach_lerp_(first, gradients, 1 - beta1)
        torch._foreach_mul_(second, beta2)
        torch._foreach_addcmul_(second, gradients, gradients, 1 - beta2)
        roots = torch._foreach_sqrt(second)
        torch._foreach_div_(roots, math.sqrt(1 - beta2**self.steps))
        torch._foreach_add_(roots, self._epsilon)
        moves = [-rates[name] / (1 - beta1**self.steps) for name in self.parameters]
        torch._foreach_addcdiv_([p.detach() for p in self.parameters.values()], first, roots, moves)

    def _gradient(self, name: str) -> Tensor:
        gradient = self.parameters[name].grad
        if gradient is None:
            raise ValueError(f"{name} has no gradient")
        return gradient

"""Adam in plain PyTorch, for any device: what `locutor.fit.adam` does natively, behind the same calls."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor

from locutor.fit.adam import OuterGradient


class TorchAdam:
    """Twin of `locutor.fit.adam.Adam`: same arguments, attributes and state. A handful of launches a step on a GPU."""

    def __init__(
        self, parameters: Mapping[str, Tensor], betas: tuple[float, float] = (0.9, 0.999), epsilon: float = 1e-8
    ) -> None:
        self.parameters = dict(parameters)
        self.first = {name: torch.zeros_like(p, requires_grad=False) for name, p in self.parameters.items()}
        self.second = {name: torch.zeros_like(p, requires_grad=False) for name, p in self.parameters.items()}
        self.steps = 0
        self._betas, self._epsilon = betas, epsilon

    def zero_grad(self) -> None:
        """Drop all gradients."""
        for parameter in self.parameters.values():
            parameter.grad = None

    @torch.no_grad()
    def step(self, rates: Mapping[str, float], outer: Mapping[str, OuterGradient] | None = None) -> None:
        """Move every parameter by one step (Kingma & Ba 2015, algorithm 1).

        Raises:
            ValueError: a parameter has no gradient.
        """
        gradients = [self._gradient(name, (outer or {}).get(name)) for name in self.parameters]
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

    def _gradient(self, name: str, outer: OuterGradient | None) -> Tensor:
        if outer is not None:
            row = outer.row.detach()
            return outer.column.detach().view(-1, *([1] * row.ndim)) * row
        gradient = self.parameters[name].grad
        if gradient is None:
            raise ValueError(f"{name} has no gradient")
        return gradient

    def forget(self, name: str, members: Int[Tensor, " R"], axis: int) -> None:
        """Clear the moments of some entries along an axis of a parameter, as if they were new."""
        for moments in (self.first, self.second):
            moments[name].index_fill_(axis, members, 0.0)

    def state(self) -> dict[str, Any]:
        """Everything needed to go on later, beside the parameters."""
        return {"steps": self.steps, "first": self.first, "second": self.second}

    def restore(self, state: dict[str, Any]) -> None:
        """Go back to a `state` of the same parameters."""
        self.steps = state["steps"]
        for moments, saved in ((self.first, state["first"]), (self.second, state["second"])):
            for name, moment in moments.items():
                moment.copy_(saved[name])

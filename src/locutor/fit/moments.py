"""What both Adams have in common: the moments, and keeping them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor


class Moments:
    """Adam's moments of named parameters; the step itself is the subclasses'.

    Attributes:
        parameters: by name; changed in place.
        first, second: the moments of each, same shapes.
        steps: how many were done.
    """

    def __init__(self, parameters: Mapping[str, Tensor], betas: tuple[float, float], epsilon: float) -> None:
        self.parameters = dict(parameters)
        self.first = {name: torch.zeros_like(p, requires_grad=False) for name, p in self.parameters.items()}
        self.second = {name: torch.zeros_like(p, requires_grad=False) for name, p in self.parameters.items()}
        self.steps = 0
        self._betas, self._epsilon = betas, epsilon

    def zero_grad(self) -> None:
        """Drop all gradients."""
        for parameter in self.parameters.values():
            parameter.grad = None

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

"""The motion field of one part of the body under optimisation."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from locutor.avatar.field import CHANNEL_SCALE, CodeNetwork
from locutor.fit.adafactor import Adafactor
from locutor.fit.adafactor_torch import TorchAdafactor
from locutor.splat import dispatch

N_SHIFTS = 3  # rows of the bases that displace
FOLLOWED = 0.6  # the coefficient of a control that a basis follows: of the size that others begin with


class TrainableField:
    """Bases over some Gaussians, and the network that weighs them.

    Attributes:
        bases: in units of `CHANNEL_SCALE`, [K, R, M]: they change the first R of the nine rows of delta. Outside of
            autograd: see `learn`.
        network: controls to coefficients; somebody else's optimiser steps it.
        optimiser: of the bases.
    """

    def __init__(
        self,
        n_controls: int,
        bases: Float[Tensor, "K R M"],
        beta: float,
        epsilon: float,
    ) -> None:
        self.bases = bases
        self.network = CodeNetwork(n_controls, len(bases)).to(bases.device)
        self._channel_scale = torch.tensor(CHANNEL_SCALE[: bases.shape[1]], device=bases.device)
        of_bases = Adafactor if dispatch.runs_native(bases) else TorchAdafactor
        self.optimiser = of_bases(bases, self._channel_scale, beta, epsilon)

    def __len__(self) -> int:
        """M, the number of Gaussians it moves."""
        return self.bases.shape[2]

    @torch.no_grad()
    def follow(self, shapes: Float[Tensor, "J 3 M"]) -> None:
        """Let the first J bases start as displacements that go with the first J controls, each with its own.

        Args:
            shapes: inter-ocular units, when the control grows by 1.
        """
        n, out, direct = len(shapes), self.network.out, self.network.direct
        self.bases[:n, :N_SHIFTS] = shapes / (FOLLOWED * self._channel_scale[:N_SHIFTS, None])
        direct.weight[:n] = FOLLOWED * torch.eye(n, direct.in_features, device=shapes.device)
        for untouched in (direct.bias[:n], out.weight[:n], out.bias[:n]):
            untouched.zero_()

    def delta(self, coefficients: Float[Tensor, " K"]) -> Float[Tensor, "9 M"]:
        """The change of its Gaussians, without a graph."""
        return dispatch.motion_field(coefficients.detach(), self.bases, self._channel_scale, len(self))

    def learn(self, coefficients: Float[Tensor, " K"], d_delta: Float[Tensor, "9 N"], first: int, rate: float) -> None:
        """The field's backward pass and the bases' step, in one pass over the bases.

        Args:
            coefficients: what `delta` was made of, with the network's graph, which gets its gradient.
            d_delta: gradient of the loss; its own Gaussians begin at column `first`.
            rate: learning rate of the bases.
        """
        coefficients.backward(self.optimiser.step(rate, coefficients.detach(), d_delta, first))

    def plain_bases(self) -> Float[Tensor, "K 9 M"]:
        """The bases in plain units, with all nine rows."""
        plain = self.bases.new_zeros(len(self.bases), len(CHANNEL_SCALE), len(self))
        plain[:, : self.bases.shape[1]] = self.bases * self._channel_scale[:, None]
        return plain

    def parameters(self, prefix: str) -> dict[str, nn.Parameter]:
        """The network's, with their names after `prefix`."""
        return {f"{prefix}.{name}": parameter for name, parameter in self.network.named_parameters()}

    def state(self) -> dict[str, Any]:
        """Everything needed to go on later."""
        return {"bases": self.bases, "network": self.network.state_dict(), "optimiser": self.optimiser.state()}

    def restore(self, state: dict[str, Any]) -> None:
        """Go back to a `state` of the same shape."""
        self.bases.copy_(state["bases"])
        self.network.load_state_dict(state["network"])
        self.optimiser.restore(state["optimiser"])

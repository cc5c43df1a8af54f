"""What training changes: the parameters, their learning rates, and their optimiser."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from locutor.avatar.field import CHANNEL_SCALE, CodeNetwork
from locutor.fit.adam import Adam
from locutor.fit.adam_torch import TorchAdam
from locutor.fit.moments import OuterGradient
from locutor.splat import dispatch
from locutor.splat.bodies import CanonicalGaussians

# Adam's rates at the start, per inter-ocular unit; all decay exponentially to FINAL_SHARE of it.
RATES = {
    "means": 2e-3,
    "quats": 2e-3,
    "log_scales": 8e-3,
    "logit_opacities": 3e-2,
    "colors": 4e-3,
    "logit_attachment": 1e-2,
    "bases": 2e-3,
    "network": 1e-3,
}
FINAL_SHARE = 0.05
NETWORK_FINAL_SHARE = 0.1
# Far below the gradient of any Gaussian that changes one pixel: about 1e-10.
EPSILON = 1e-15


class TrainableAvatar:
    """Canonical Gaussians, bases and code network under optimisation.

    Attributes:
        canonical: leaf tensors; everything else lies on their device.
        bases: in units of `CHANNEL_SCALE`; act on the first M Gaussians. Without `requires_grad`: see `learn`.
        network: controls to coefficients.
        optimiser: Adam over all of them, by the names of `RATES` ("network.out.weight" and so on).
    """

    def __init__(self, canonical: CanonicalGaussians, n_bases: int, n_controls: int, seed: int) -> None:
        torch.manual_seed(seed)
        self.canonical = CanonicalGaussians(
            **{f.name: getattr(canonical, f.name).clone().requires_grad_() for f in fields(CanonicalGaussians)}
        )
        n_moving = int((canonical.logit_attachment > 0).sum())
        device = canonical.means.device
        self.bases = torch.zeros(n_bases, 9, n_moving, device=device)
        self.network = CodeNetwork(n_controls, n_bases).to(device)
        self._channel_scale = torch.tensor(CHANNEL_SCALE, device=device)
        parameters = {f.name: getattr(self.canonical, f.name) for f in fields(CanonicalGaussians)}
        parameters["bases"] = self.bases
        parameters |= {f"network.{name}": parameter for name, parameter in self.network.named_parameters()}
        kind = Adam if dispatch.runs_native(self.bases) else TorchAdam
        self.optimiser = kind(parameters, betas=(0.9, 0.99), epsilon=EPSILON)

    @property
    def n_moving(self) -> int:
        """Number of Gaussians that the field moves; they come first."""
        return self.bases.shape[2]

    def delta(self, coefficients: Float[Tensor, " K"]) -> Float[Tensor, "9 N"]:
        """The field's change of every Gaussian; zero where it does not act."""
        return dispatch.motion_field(coefficients, self.bases, self._channel_scale, len(self.canonical))

    def finished_bases(self) -> Float[Tensor, "K 9 M"]:
        """The bases in plain units."""
        return self.bases * self._channel_scale[:, None]

    def rates(self, share_done: float) -> dict[str, float]:
        """The learning rate of each parameter after `share_done` (0..1) of the training."""
        rates = {}
        for name in self.optimiser.parameters:
            kind = name.split(".")[0]
            final = NETWORK_FINAL_SHARE if kind == "network" else FINAL_SHARE
            rates[name] = RATES[kind] * max(FINAL_SHARE**share_done, final)
        return rates

    def learn(self, coefficients: Float[Tensor, " K"], delta: Float[Tensor, "9 N"], share_done: float) -> None:
        """One step of all parameters, after the backward pass of one frame.

        Args:
            coefficients: the frame's.
            delta: what the field made of them; retains its gradient, from which the bases' follows.
            share_done: see `rates`.
        """
        if delta.grad is None:
            raise ValueError("delta has no gradient: call delta.retain_grad() before the backward pass")
        d_moved = delta.grad[:, : self.n_moving] * self._channel_scale[:, None]
        self.optimiser.step(self.rates(share_done), {"bases": OuterGradient(coefficients, d_moved)})

    def state(self) -> dict[str, Any]:
        """Everything needed to go on later."""
        return {
            "canonical": {f.name: getattr(self.canonical, f.name).detach() for f in fields(CanonicalGaussians)},
            "bases": self.bases,
            "network": self.network.state_dict(),
            "optimiser": self.optimiser.state(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go back to a `state` of the same shape."""
        with torch.no_grad():
            for name, value in state["canonical"].items():
                getattr(self.canonical, name).copy_(value)
            self.bases.copy_(state["bases"])
        self.network.load_state_dict(state["network"])
        self.optimiser.restore(state["optimiser"])

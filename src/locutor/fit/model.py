"""What training changes: the parameters, their learning rates, and their optimiser."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from locutor.avatar.field import CHANNEL_SCALE, CodeNetwork
from locutor.fit.adafactor import Adafactor
from locutor.fit.adafactor_torch import TorchAdafactor
from locutor.fit.adam import Adam
from locutor.fit.adam_torch import TorchAdam
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
BETA1, BETA2 = 0.9, 0.99
# Far below the gradient of any Gaussian that changes one pixel: about 1e-10.
EPSILON = 1e-15


class TrainableAvatar:
    """Canonical Gaussians, bases and code network under optimisation.

    Attributes:
        canonical: leaf tensors; everything else lies on their device.
        bases: in units of `CHANNEL_SCALE`; act on the first M Gaussians. Outside of autograd: see `learn`.
        network: controls to coefficients.
        optimiser: Adam over canonical Gaussians and network, by the names of `RATES` ("network.out.weight" and so on).
        bases_optimiser: of the bases alone.
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
        parameters |= {f"network.{name}": parameter for name, parameter in self.network.named_parameters()}
        native = dispatch.runs_native(self.bases)
        self.optimiser = (Adam if native else TorchAdam)(parameters, (BETA1, BETA2), EPSILON)
        self.bases_optimiser = (Adafactor if native else TorchAdafactor)(
            self.bases, self._channel_scale, BETA2, EPSILON
        )

    @property
    def n_moving(self) -> int:
        """Number of Gaussians that the field moves; they come first."""
        return self.bases.shape[2]

    def delta(self, coefficients: Float[Tensor, " K"]) -> Float[Tensor, "9 N"]:
        """The field's change of every Gaussian; zero where it does not act. Without a graph: see `learn`."""
        return dispatch.motion_field(coefficients.detach(), self.bases, self._channel_scale, len(self.canonical))

    def finished_bases(self) -> Float[Tensor, "K 9 M"]:
        """The bases in plain units."""
        return self.bases * self._channel_scale[:, None]

    def rates(self, share_done: float) -> dict[str, float]:
        """The learning rate of each parameter after `share_done` (0..1) of the training."""
        rates = {}
        for name in (*self.optimiser.parameters, "bases"):
            kind = name.split(".")[0]
            final = NETWORK_FINAL_SHARE if kind == "network" else FINAL_SHARE
            rates[name] = RATES[kind] * max(FINAL_SHARE**share_done, final)
        return rates

    def learn(self, coefficients: Float[Tensor, " K"], delta: Float[Tensor, "9 N"], share_done: float) -> None:
        """One step of all parameters, after the backward pass of one frame.

        The field's own backward pass happens here, in one pass over the bases with their step.

        Args:
            coefficients: the frame's, with the network's graph.
            delta: what the field made of them; holds the gradient of the loss.
            share_done: see `rates`.
        """
        if delta.grad is None:
            raise ValueError("delta has no gradient: call delta.requires_grad_() before the forward pass")
        rates = self.rates(share_done)
        d_coefficients = self.bases_optimiser.step(rates["bases"], coefficients.detach(), delta.grad)
        coefficients.backward(d_coefficients)
        self.optimiser.step(rates)

    def state(self) -> dict[str, Any]:
        """Everything needed to go on later."""
        return {
            "canonical": {f.name: getattr(self.canonical, f.name).detach() for f in fields(CanonicalGaussians)},
            "bases": self.bases,
            "network": self.network.state_dict(),
            "optimiser": self.optimiser.state(),
            "bases_optimiser": self.bases_optimiser.state(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go back to a `state` of the same shape."""
        with torch.no_grad():
            for name, value in state["canonical"].items():
                getattr(self.canonical, name).copy_(value)
            self.bases.copy_(state["bases"])
        self.network.load_state_dict(state["network"])
        self.optimiser.restore(state["optimiser"])
        self.bases_optimiser.restore(state["bases_optimiser"])

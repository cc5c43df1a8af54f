"""What training changes: the parameters, their learning rates, and their optimiser."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from locutor.avatar.field import CHANNEL_SCALE, CodeNetwork
from locutor.avatar.torso import N_TORSO_CONTROLS
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
    "torso_bases": 1e-3,
    "torso_network": 1e-3,
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
        torso_bases, torso_network: the same for the other Gaussians, driven by poses (`avatar.torso`).
        optimiser: Adam over canonical Gaussians and networks, by the names of `RATES` ("network.out.weight" and so on).
        bases_optimiser, torso_optimiser: of either table of bases.
    """

    def __init__(
        self, canonical: CanonicalGaussians, n_bases: int, n_controls: int, n_torso_bases: int, seed: int
    ) -> None:
        torch.manual_seed(seed)
        self.canonical = CanonicalGaussians(
            **{f.name: getattr(canonical, f.name).clone().requires_grad_() for f in fields(CanonicalGaussians)}
        )
        n_moving = int((canonical.logit_attachment > 0).sum())
        device = canonical.means.device
        self.bases = torch.zeros(n_bases, 9, n_moving, device=device)
        self.network = CodeNetwork(n_controls, n_bases).to(device)
        self.torso_bases = torch.zeros(n_torso_bases, 9, len(canonical) - n_moving, device=device)
        self.torso_network = CodeNetwork(N_TORSO_CONTROLS, n_torso_bases).to(device)
        self._channel_scale = torch.tensor(CHANNEL_SCALE, device=device)
        self._torso_scale = self._channel_scale * (torch.arange(9, device=device) < 3)  # displaces only
        parameters = {f.name: getattr(self.canonical, f.name) for f in fields(CanonicalGaussians)}
        parameters |= {f"network.{name}": parameter for name, parameter in self.network.named_parameters()}
        parameters |= {f"torso_network.{name}": parameter for name, parameter in self.torso_network.named_parameters()}
        native = dispatch.runs_native(self.bases)
        self.optimiser = (Adam if native else TorchAdam)(parameters, (BETA1, BETA2), EPSILON)
        of_bases = Adafactor if native else TorchAdafactor
        self.bases_optimiser = of_bases(self.bases, self._channel_scale, BETA2, EPSILON)
        self.torso_optimiser = of_bases(self.torso_bases, self._torso_scale, BETA2, EPSILON)

    @property
    def n_moving(self) -> int:
        """Number of Gaussians that the field moves; they come first."""
        return self.bases.shape[2]

    def delta(self, coefficients: Float[Tensor, " K"], of_torso: Float[Tensor, " L"]) -> Float[Tensor, "9 N"]:
        """The field's change of every Gaussian, without a graph (see `learn`).

        The face's bases move the first M, the torso's the others.
        """
        n_still = self.torso_bases.shape[2]
        parts = (
            dispatch.motion_field(coefficients.detach(), self.bases, self._channel_scale, self.n_moving),
            dispatch.motion_field(of_torso.detach(), self.torso_bases, self._torso_scale, n_still),
        )
        return torch.cat(parts, 1)

    def finished_bases(self) -> Float[Tensor, "J 9 N"]:
        """The bases of face and torso in one table, in plain units."""
        n_face, _, n_moving = self.bases.shape
        table = self.bases.new_zeros(n_face + len(self.torso_bases), 9, len(self.canonical))
        table[:n_face, :, :n_moving] = self.bases * self._channel_scale[:, None]
        table[n_face:, :, n_moving:] = self.torso_bases * self._torso_scale[:, None]
        return table

    def rates(self, share_done: float) -> dict[str, float]:
        """The learning rate of each parameter after `share_done` (0..1) of the training."""
        rates = {}
        for name in (*self.optimiser.parameters, "bases", "torso_bases"):
            kind = name.split(".")[0]
            final = NETWORK_FINAL_SHARE if kind.endswith("network") else FINAL_SHARE
            rates[name] = RATES[kind] * max(FINAL_SHARE**share_done, final)
        return rates

    def learn(
        self,
        coefficients: Float[Tensor, " K"],
        of_torso: Float[Tensor, " L"],
        delta: Float[Tensor, "9 N"],
        share_done: float,
    ) -> None:
        """One step of all parameters, after the backward pass of one frame.

        The field's own backward pass happens here, in one pass over the bases with their step.

        Args:
            coefficients, of_torso: the frame's, with their networks' graphs.
            delta: what the field made of them; holds the gradient of the loss.
            share_done: see `rates`.
        """
        if delta.grad is None:
            raise ValueError("delta has no gradient: call delta.requires_grad_() before the forward pass")
        rates = self.rates(share_done)
        d_face, d_torso = delta.grad.split([self.n_moving, self.torso_bases.shape[2]], 1)
        coefficients.backward(self.bases_optimiser.step(rates["bases"], coefficients.detach(), d_face))
        of_torso.backward(self.torso_optimiser.step(rates["torso_bases"], of_torso.detach(), d_torso))
        self.optimiser.step(rates)

    def state(self) -> dict[str, Any]:
        """Everything needed to go on later."""
        return {
            "canonical": {f.name: getattr(self.canonical, f.name).detach() for f in fields(CanonicalGaussians)},
            "bases": self.bases,
            "network": self.network.state_dict(),
            "torso_bases": self.torso_bases,
            "torso_network": self.torso_network.state_dict(),
            "optimiser": self.optimiser.state(),
            "bases_optimiser": self.bases_optimiser.state(),
            "torso_optimiser": self.torso_optimiser.state(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go back to a `state` of the same shape."""
        with torch.no_grad():
            for name, value in state["canonical"].items():
                getattr(self.canonical, name).copy_(value)
            self.bases.copy_(state["bases"])
            self.torso_bases.copy_(state["torso_bases"])
        self.network.load_state_dict(state["network"])
        self.torso_network.load_state_dict(state["torso_network"])
        self.optimiser.restore(state["optimiser"])
        self.bases_optimiser.restore(state["bases_optimiser"])
        self.torso_optimiser.restore(state["torso_optimiser"])

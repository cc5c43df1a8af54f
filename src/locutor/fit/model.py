"""What training changes: the parameters, their learning rates, and their optimiser."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from locutor.avatar.field import CHANNEL_SCALE, CodeNetwork, displacement
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
GRADIENT_SCALE = 1e4  # so that Adam's epsilon never matters


class TrainableAvatar:
    """Canonical Gaussians, bases and code network under optimisation.

    Attributes:
        canonical: leaf tensors.
        bases: in units of `CHANNEL_SCALE`; act on the first M Gaussians.
        network: controls to coefficients.
        optimiser: Adam over all of them, one group per parameter kind.
    """

    def __init__(self, canonical: CanonicalGaussians, n_bases: int, n_controls: int, seed: int) -> None:
        torch.manual_seed(seed)
        self.canonical = CanonicalGaussians(
            **{f.name: getattr(canonical, f.name).clone().requires_grad_() for f in fields(CanonicalGaussians)}
        )
        n_moving = int((canonical.logit_attachment > 0).sum())
        self.bases = torch.zeros(n_bases, 9, n_moving, requires_grad=True)
        self.network = CodeNetwork(n_controls, n_bases)
        self._channel_scale = torch.tensor(CHANNEL_SCALE)[:, None]
        groups: list[dict[str, Any]] = [
            {"name": f.name, "params": [getattr(self.canonical, f.name)]} for f in fields(CanonicalGaussians)
        ]
        groups.append({"name": "bases", "params": [self.bases]})
        groups.append({"name": "network", "params": list(self.network.parameters())})
        self.optimiser = torch.optim.Adam(groups, lr=1e-3, betas=(0.9, 0.99), eps=1e-15, fused=True)

    @property
    def n_moving(self) -> int:
        """Number of Gaussians that the field moves; they come first."""
        return self.bases.shape[2]

    def delta(self, coefficients: Float[Tensor, " K"]) -> Float[Tensor, "9 N"]:
        """The field's change of every Gaussian; zero where it does not act."""
        moved = displacement(coefficients, self.bases) * self._channel_scale
        n_static = len(self.canonical) - self.n_moving
        return torch.nn.functional.pad(moved, (0, n_static))

    def finished_bases(self) -> Float[Tensor, "K 9 M"]:
        """The bases in plain units."""
        return (self.bases * self._channel_scale).detach().contiguous()

    def set_rates(self, share_done: float) -> None:
        """Learning rates after `share_done` (0..1) of the training."""
        for group in self.optimiser.param_groups:
            final = NETWORK_FINAL_SHARE if group["name"] == "network" else FINAL_SHARE
            group["lr"] = RATES[group["name"]] * max(FINAL_SHARE**share_done, final)

    def state(self) -> dict[str, Any]:
        """Everything needed to go on later."""
        return {
            "canonical": {f.name: getattr(self.canonical, f.name).detach() for f in fields(CanonicalGaussians)},
            "bases": self.bases.detach(),
            "network": self.network.state_dict(),
            "optimiser": self.optimiser.state_dict(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go back to a `state` of the same shape."""
        with torch.no_grad():
            for name, value in state["canonical"].items():
                getattr(self.canonical, name).copy_(value)
            self.bases.copy_(state["bases"])
        self.network.load_state_dict(state["network"])
        self.optimiser.load_state_dict(state["optimiser"])

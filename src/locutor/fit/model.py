"""What training changes: the parameters, their learning rates, and their optimiser."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from locutor.avatar.torso import N_TORSO_CONTROLS
from locutor.fit.adam import Adam
from locutor.fit.adam_torch import TorchAdam
from locutor.fit.field import TrainableField
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
FACE_ROWS, TORSO_ROWS = 9, 3  # of delta: clothes and shoulders are only displaced
# Far below the gradient of any Gaussian that changes one pixel: about 1e-10.
EPSILON = 1e-15


class TrainableAvatar:
    """Canonical Gaussians and their motion under optimisation.

    Attributes:
        canonical: leaf tensors; everything else lies on their device.
        face: moves the first M Gaussians.
        torso: moves the others, driven by poses (`avatar.torso`).
        optimiser: Adam over canonical Gaussians and networks, by the names of `RATES` ("network.out.weight" and so on).
    """

    def __init__(
        self, canonical: CanonicalGaussians, n_bases: int, n_controls: int, n_torso_bases: int, seed: int
    ) -> None:
        torch.manual_seed(seed)
        self.canonical = CanonicalGaussians(
            **{f.name: getattr(canonical, f.name).clone().requires_grad_() for f in fields(CanonicalGaussians)}
        )
        n_moving = int((canonical.logit_attachment > 0).sum())
        n_still = len(canonical) - n_moving
        zeros = canonical.means.new_zeros
        self.face = TrainableField(n_controls, zeros(n_bases, FACE_ROWS, n_moving), BETA2, EPSILON)
        self.torso = TrainableField(N_TORSO_CONTROLS, zeros(n_torso_bases, TORSO_ROWS, n_still), BETA2, EPSILON)
        parameters = {f.name: getattr(self.canonical, f.name) for f in fields(CanonicalGaussians)}
        parameters |= self.face.parameters("network") | self.torso.parameters("torso_network")
        native = dispatch.runs_native(canonical.means)
        self.optimiser = (Adam if native else TorchAdam)(parameters, (BETA1, BETA2), EPSILON)

    def delta(self, coefficients: Float[Tensor, " K"], of_torso: Float[Tensor, " L"]) -> Float[Tensor, "9 N"]:
        """The fields' change of every Gaussian, without a graph (see `learn`)."""
        return torch.cat((self.face.delta(coefficients), self.torso.delta(of_torso)), 1)

    def finished_bases(self) -> Float[Tensor, "J 9 N"]:
        """The bases of face and torso in one table, in plain units."""
        of_face, of_torso = self.face.plain_bases(), self.torso.plain_bases()
        table = of_face.new_zeros(len(of_face) + len(of_torso), 9, len(self.canonical))
        table[: len(of_face), :, : len(self.face)] = of_face
        table[len(of_face) :, :, len(self.face) :] = of_torso
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

        Args:
            coefficients, of_torso: the frame's, with their networks' graphs.
            delta: what the fields made of them; holds the gradient of the loss.
            share_done: see `rates`.
        """
        if delta.grad is None:
            raise ValueError("delta has no gradient: call delta.requires_grad_() before the forward pass")
        rates = self.rates(share_done)
        self.face.learn(coefficients, delta.grad, 0, rates["bases"])
        self.torso.learn(of_torso, delta.grad, len(self.face), rates["torso_bases"])
        self.optimiser.step(rates)

    def state(self) -> dict[str, Any]:
        """Everything needed to go on later."""
        return {
            "canonical": {f.name: getattr(self.canonical, f.name).detach() for f in fields(CanonicalGaussians)},
            "face": self.face.state(),
            "torso": self.torso.state(),
            "optimiser": self.optimiser.state(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go back to a `state` of the same shape."""
        with torch.no_grad():
            for name, value in state["canonical"].items():
                getattr(self.canonical, name).copy_(value)
        self.face.restore(state["face"])
        self.torso.restore(state["torso"])
        self.optimiser.restore(state["optimiser"])

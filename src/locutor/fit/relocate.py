"""Density control with a fixed count: transparent Gaussians move to where the error is.

After 3DGS-MCMC (Kheradmand et al. 2024), simplified: a dead Gaussian becomes the twin of a live one that
the loss pulls at hard, both shrink, and the twin is jittered within its parent.
"""

from dataclasses import dataclass, fields

import torch
from jaxtyping import Float
from torch import Tensor

from locutor.fit.field import TrainableField
from locutor.fit.model import TrainableAvatar
from locutor.splat.bodies import CanonicalGaussians

DEAD_OPACITY = 0.03
PARENT_OPACITY = 0.2
MAX_SHARE = 0.05  # of the Gaussians that move at once
SHRINK = 0.35  # of the log-scale
JITTER = 0.7  # of the parent's standard deviation


@dataclass
class PullMeter:
    """Sum of the gradients on the means since the last relocation: where the loss wants to change something."""

    pull: Float[Tensor, " N"]

    def add(self, means: Float[Tensor, "N 3"]) -> None:
        """Count one iteration: `means` hold the gradient of its loss."""
        if means.grad is not None:
            for axis in (0, 1):  # a sum over the axis takes five times as long
                self.pull += means.grad[:, axis].abs()


@torch.no_grad()
def relocate(avatar: TrainableAvatar, meter: PullMeter, generator: torch.Generator) -> int:
    """Move dead Gaussians; moving ones stay among the moving, still ones among the still.

    Returns:
        How many were moved.
    """
    moved = _relocate_part(avatar, avatar.face, 0, meter, generator)
    moved += _relocate_part(avatar, avatar.torso, len(avatar.face), meter, generator)
    meter.pull.zero_()
    return moved


def _relocate_part(
    avatar: TrainableAvatar, field: TrainableField, first: int, meter: PullMeter, generator: torch.Generator
) -> int:
    canonical = avatar.canonical
    members = torch.arange(first, first + len(field), device=meter.pull.device)
    opacity = torch.sigmoid(canonical.logit_opacities[members])
    dead = members[opacity < DEAD_OPACITY][: int(MAX_SHARE * len(members))]
    attraction = torch.where(opacity > PARENT_OPACITY, meter.pull[members] * opacity, 0.0)
    n_candidates = int((attraction > 0).sum())
    dead = dead[:n_candidates]
    if len(dead) == 0:
        return 0
    # Random numbers come from the CPU on every device, so that a seed means the same.
    drawn = torch.multinomial(attraction.cpu(), len(dead), generator=generator)
    parents = members[drawn.to(members.device)]
    for f in fields(CanonicalGaussians):
        parameter = getattr(canonical, f.name)
        parameter[dead] = parameter[parents]
        avatar.optimiser.forget(f.name, dead, axis=0)
    jitter = (
        torch.randn(len(dead), 3, generator=generator).to(members.device)
        * torch.exp(canonical.log_scales[parents])
        * JITTER
    )
    canonical.means[dead] += jitter
    canonical.log_scales[dead] -= SHRINK
    canonical.log_scales[parents] -= SHRINK
    field.bases[:, :, dead - first] = field.bases[:, :, parents - first]
    field.optimiser.forget(dead - first)
    return len(dead)

"""Neighbours move alike.

Each Gaussian has bases of its own, and a training frame corrects them for the few pixels that it covers: what is right
for a lip in known expressions may tear it in others. So every now and then the face's displacements are drawn towards
the mean of those around them: weight decay along the graph of neighbours. Plain decay would make all movement small.
Sizes and turns stay each Gaussian's own.
"""

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy.spatial import cKDTree
from torch import Tensor

from locutor.fit.field import N_SHIFTS

N_NEIGHBOURS = 8
ALOOF = 0.1  # weight of no neighbour at all: who has none near by stays as it is


def neighbourhood(means: Float[Tensor, "M 3"]) -> tuple[Int[Tensor, "M k"], Float[Tensor, "M k"]]:
    """Who is near whom, and how much each counts: less than 1 in all, by a Gaussian of the median distance."""
    points = means.detach().cpu().numpy()
    distance, index = cKDTree(points).query(
        points, range(2, min(N_NEIGHBOURS + 2, len(points) + 1))
    )  # the first is oneself
    weight = np.exp(-0.5 * (distance / max(float(np.median(distance)), 1e-9)) ** 2)
    weight /= weight.sum(1, keepdims=True) + ALOOF
    return torch.from_numpy(index).to(means.device), torch.from_numpy(weight.astype(np.float32)).to(means.device)


@torch.no_grad()
def draw_together(bases: Float[Tensor, "K R M"], means: Float[Tensor, "M 3"], share: float) -> None:
    """Move the displacement rows of the bases towards their neighbours' mean, in place.

    Args:
        bases: of the Gaussians at `means`; the first three rows displace.
        means: centres, inter-ocular units.
        share: of the way, 0..1.
    """
    index, weight = neighbourhood(means)
    shifts = bases[:, :N_SHIFTS]
    pull = -weight.sum(1) * shifts
    for one in range(index.shape[1]):
        pull += weight[:, one] * shifts[..., index[:, one]]
    shifts += share * pull

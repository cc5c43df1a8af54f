"""The separable motion field: bases over space, coefficients over time.

The change of Gaussian i at time t is a sum over K learned bases, each a 9-vector per Gaussian (displacement,
log-scale, rotation), weighted by K coefficients that a small network makes of the frame's controls. What
depends on space is a table; what depends on time is K numbers.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

HIDDEN = 64
# One learning rate serves all channels when the table is stored in these units.
CHANNEL_SCALE = (0.3, 0.3, 0.3, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0)


class CodeNetwork(nn.Module):
    """Controls of a frame to the coefficients of the bases: a linear map plus one hidden layer."""

    def __init__(self, n_controls: int, n_bases: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(n_controls, HIDDEN)
        self.out = nn.Linear(HIDDEN, n_bases)
        self.direct = nn.Linear(n_controls, n_bases)
        nn.init.normal_(self.out.weight, std=0.02)
        nn.init.normal_(self.direct.weight, std=0.6 / math.sqrt(n_controls))

    def forward(self, controls: Float[Tensor, "*T F"]) -> Float[Tensor, "*T K"]:
        """Coefficients for one frame or many."""
        return self.out(torch.relu(self.hidden(controls))) + self.direct(controls)

"""`Gaussians`: the scene as the rasterisers take it."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class Gaussians:
    """N anisotropic 3D Gaussians in the world frame (which is the camera's: x right, y down, z forward).

    Attributes:
        means: centres, inter-ocular units.
        quats: orientations wxyz (world from local axes), any norm > 0; normalised by the rasteriser.
        scales: standard deviations along the local axes, inter-ocular units.
        opacities: peak opacity, in (0, 1).
        colors: sRGB; may leave [0, 1].
    """

    means: Float[Tensor, "N 3"]
    quats: Float[Tensor, "N 4"]
    scales: Float[Tensor, "N 3"]
    opacities: Float[Tensor, " N"]
    colors: Float[Tensor, "N 3"]

    def __len__(self) -> int:
        return len(self.means)

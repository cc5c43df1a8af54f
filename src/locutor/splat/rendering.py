"""`Rendering`: what a rasteriser gives back."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class Rendering:
    """One picture.

    Attributes:
        rgb: sRGB over the background, not clamped. The native rasteriser's tensor is a view of planar memory
            ([3, H, W]); call `.contiguous()` where the layout matters.
        alpha: share of each pixel covered by Gaussians, 0..1.
    """

    rgb: Float[Tensor, "H W 3"]
    alpha: Float[Tensor, "H W"]

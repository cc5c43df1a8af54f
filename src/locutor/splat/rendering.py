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
        extra: the extra channels, blended like colours but over 0; None if none were asked for. Divided by `alpha` they
            are means over what a pixel shows. Native: a view of planar memory, like `rgb`.
    """

    rgb: Float[Tensor, "H W 3"]
    alpha: Float[Tensor, "H W"]
    extra: Float[Tensor, "H W C"] | None = None

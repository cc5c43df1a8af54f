"""The render loop's fast path: motion coefficients and a pose to 8-bit pixels in one native call."""

import numpy as np
import torch
from jaxtyping import Float, UInt8
from numpy import ndarray
from torch import Tensor

from locutor._native import Renderer
from locutor.core.camera import Camera
from locutor.splat.cpu import native_input
from locutor.splat.engine import Engine, default_engine
from locutor.splat.posing import BodyPose, CanonicalGaussians, native_canonical, native_pose


class NativeRenderer:
    """Draws one avatar before one background. Holds copies of everything it is given; nothing has a gradient.

    Args:
        canonical: N Gaussians, of which the first M move; float32 on the CPU.
        bases: the motion field: `delta[:, :M] = sum_k coefficients[k] bases[k]` (rows as in `pose_gaussians`).
        camera: fixes the size of the pictures.
        background: sRGB.
        engine: threads and instruction set; the shared default if None.

    Raises:
        ValueError: a tensor has the wrong shape, dtype or device, or holds a value that is not finite.
    """

    def __init__(
        self,
        canonical: CanonicalGaussians,
        bases: Float[Tensor, "K 9 M"],
        camera: Camera,
        background: Float[Tensor, "H W 3"],
        engine: Engine | None = None,
    ) -> None:
        self.camera = camera
        self._renderer = Renderer(
            engine or default_engine(),
            *native_canonical(canonical),
            native_input(bases, "bases"),
            (camera.width, camera.height, camera.focal_px, camera.cx, camera.cy),
            native_input(background, "background"),
        )

    def render(
        self, coefficients: Float[Tensor, " K"] | Float[ndarray, " K"], pose: BodyPose
    ) -> UInt8[ndarray, "H W 3"]:
        """One picture, rounded to 8 bits; the same as the differentiable path to one grey level."""
        pixels = np.empty((self.camera.height, self.camera.width, 3), np.uint8)
        weights = native_input(torch.as_tensor(coefficients), "coefficients")
        self._renderer.render(weights, native_pose(pose), pixels)
        return pixels

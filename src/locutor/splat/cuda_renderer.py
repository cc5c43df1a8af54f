"""The render loop on a GPU: motion coefficients and poses of many frames to 8-bit pixels in one batch."""

from collections.abc import Sequence
from dataclasses import fields

import torch
from jaxtyping import Float, UInt8
from numpy import ndarray
from torch import Tensor

from locutor.core.camera import Camera
from locutor.splat.bodies import BodyPose, CanonicalGaussians
from locutor.splat.cuda import draw_batch, over
from locutor.splat.posing_batch import pose_batch, stack_poses


class CudaRenderer:
    """`NativeRenderer` on a GPU: same arguments, same `render`, and `render_many` for files.

    Args:
        canonical, bases, camera, background: as in `NativeRenderer`; copied to the device.
        device: a CUDA device.

    Raises:
        MissingPartError: when it draws, as in `cuda.load_gsplat`.
    """

    def __init__(
        self,
        canonical: CanonicalGaussians,
        bases: Float[Tensor, "K 9 M"],
        camera: Camera,
        background: Float[Tensor, "H W 3"],
        device: str = "cuda",
    ) -> None:
        self.camera = camera
        self._device = torch.device(device)
        moved = {f.name: getattr(canonical, f.name).detach().to(self._device) for f in fields(CanonicalGaussians)}
        self._canonical = CanonicalGaussians(**moved)
        self._bases = bases.detach().to(self._device)
        self._background = background.detach().to(self._device)

    def render(
        self, coefficients: Float[Tensor, " K"] | Float[ndarray, " K"], pose: BodyPose
    ) -> UInt8[ndarray, "H W 3"]:
        """One picture, rounded to 8 bits."""
        return self.render_many(torch.as_tensor(coefficients)[None], [pose])[0]

    @torch.no_grad()
    def render_many(self, coefficients: Float[Tensor, "B K"], poses: Sequence[BodyPose]) -> UInt8[ndarray, "B H W 3"]:
        """B >= 1 pictures in one batch. Memory grows with B: about 8 MB per frame at 512x512."""
        n_still = len(self._canonical) - self._bases.shape[2]
        field = torch.einsum("bk,kcm->bcm", coefficients.to(self._device), self._bases)
        delta = torch.nn.functional.pad(field, (0, n_still))
        posed = pose_batch(self._canonical, delta, stack_poses(poses, self._device))
        colors = self._canonical.colors.expand(len(poses), -1, -1)
        drawn, alpha = draw_batch(posed.means, posed.quats, posed.scales, posed.opacities, colors, self.camera)
        pixels = over(drawn, alpha, self._background).clamp(0, 1) * 255 + 0.5
        return pixels.to(torch.uint8).cpu().numpy()

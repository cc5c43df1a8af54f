"""Which implementation works: native code for float32 on the CPU, PyTorch and gsplat on other devices.

The one place that looks at a tensor's device. What trains calls these, so that the same code runs on both. A tensor
on the CPU always goes to native code, which refuses what it cannot take.
"""

from jaxtyping import Float, UInt8
from torch import Tensor

from locutor.core.camera import Camera
from locutor.splat import cpu, photometric, posing
from locutor.splat import motion_field as native_field
from locutor.splat.bodies import BodyPose, CanonicalGaussians
from locutor.splat.cuda import rasterize_cuda
from locutor.splat.engine import Engine
from locutor.splat.gaussians import Gaussians
from locutor.splat.motion_field_reference import motion_field_reference
from locutor.splat.photometric_reference import PhotometricLoss, photometric_loss_reference
from locutor.splat.posing_reference import pose_gaussians_reference
from locutor.splat.rendering import Rendering


def runs_native(tensor: Tensor) -> bool:
    """Whether native code takes what lies where this tensor lies."""
    return tensor.device.type == "cpu"


def rasterize(
    gaussians: Gaussians,
    camera: Camera,
    background: Float[Tensor, "H W 3"],
    extra: Float[Tensor, "N C"] | None = None,
    engine: Engine | None = None,
) -> Rendering:
    """Draw Gaussians over a background where they lie: `cpu.rasterize` or `cuda.rasterize_cuda`.

    Args:
        gaussians, camera, background, extra: as in `cpu.rasterize`, all on one device.
        engine: of the native code; the shared default if None. Means nothing on a GPU.

    Raises:
        ValueError: as in `cpu.rasterize`.
        MissingPartError: the tensors lie on a GPU and gsplat is missing.
    """
    if runs_native(gaussians.means):
        return cpu.rasterize(gaussians, camera, background, extra, engine)
    return rasterize_cuda(gaussians, camera, background, extra)


def motion_field(
    coefficients: Float[Tensor, " K"],
    bases: Float[Tensor, "K R M"],
    channel_scale: Float[Tensor, " R"],
    n_gaussians: int,
    engine: Engine | None = None,
) -> Float[Tensor, "9 N"]:
    """The field's change of every Gaussian: `motion_field.motion_field`, or its twin on a GPU."""
    if runs_native(bases):
        return native_field.motion_field(coefficients, bases, channel_scale, n_gaussians, engine)
    return motion_field_reference(coefficients, bases, channel_scale, n_gaussians)


def pose_gaussians(
    canonical: CanonicalGaussians, delta: Float[Tensor, "9 N"], pose: BodyPose, engine: Engine | None = None
) -> Gaussians:
    """Place canonical Gaussians in the world: `posing.pose_gaussians`, or its twin on a GPU."""
    if runs_native(canonical.means):
        return posing.pose_gaussians(canonical, delta, pose, engine)
    return pose_gaussians_reference(canonical, delta, pose)


def photometric_loss(
    rendered: Float[Tensor, "H W 3"],
    target: UInt8[Tensor, "H W 3"],
    weight: Float[Tensor, "H W"],
    ssim_weight: float,
    engine: Engine | None = None,
) -> PhotometricLoss:
    """L1 and SSIM against a target: `photometric.photometric_loss`, or its twin on a GPU."""
    if runs_native(rendered):
        return photometric.photometric_loss(rendered, target, weight, ssim_weight, engine)
    return photometric_loss_reference(rendered, target, weight, ssim_weight)

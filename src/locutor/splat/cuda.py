"""Drawing on CUDA through gsplat (Ye et al. 2025, JMLR 26; extra `cuda`). Twin of `locutor.splat.reference`.

gsplat draws under the rules of docs/rasteriser.md. Its binning reads a count back to the host, hence no CUDA graph can
hold a whole frame; what keeps launches from ruling is many frames in one call.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from locutor.core.camera import Camera
from locutor.core.errors import MissingPartError
from locutor.splat.gaussians import Gaussians
from locutor.splat.reference import BLUR_PX2, NEAR
from locutor.splat.rendering import Rendering

TOOLKIT = "install the CUDA toolkit of your PyTorch's CUDA version and a C++ compiler, or a compiled wheel of gsplat"


def require_cuda() -> None:
    """Check that PyTorch sees a CUDA device and that gsplat can draw on it; gsplat compiles itself on first use.

    Raises:
        MissingPartError: there is no device, no gsplat, or gsplat cannot be compiled.
    """
    if not torch.cuda.is_available():
        raise MissingPartError(
            f"PyTorch {torch.__version__} finds no CUDA device here",
            "use the CPU, or install the CUDA build of PyTorch on a machine with an NVIDIA GPU",
        )
    load_gsplat()


@cache
def load_gsplat() -> Callable[..., Any]:
    """`gsplat.rasterization`, once its kernels are there.

    Raises:
        MissingPartError: gsplat is not installed, or its kernels could not be compiled.
    """
    try:
        from gsplat import rasterization
    except ImportError as error:
        raise MissingPartError("drawing on CUDA needs gsplat", "pip install 'locutor[cuda]'") from error
    try:
        import gsplat.cuda._backend as backend  # compiles them
    except (ImportError, OSError, RuntimeError) as error:
        raise MissingPartError(f"gsplat's CUDA kernels could not be compiled: {error}", TOOLKIT) from error
    if backend._C is None:
        raise MissingPartError("gsplat's CUDA kernels are not compiled and there is no CUDA toolkit (nvcc)", TOOLKIT)
    return rasterization


def draw_batch(
    means: Float[Tensor, "B N 3"],
    quats: Float[Tensor, "B N 4"],
    scales: Float[Tensor, "B N 3"],
    opacities: Float[Tensor, "B N"],
    features: Float[Tensor, "B N D"],
    camera: Camera,
) -> tuple[Float[Tensor, "B H W D"], Float[Tensor, "B H W"]]:
    """Features of B scenes blended over nothing, and what share of each pixel is covered; differentiable.

    Args:
        means, quats, scales, opacities: as in `Gaussians`, world frame (the camera's).
        features: what each Gaussian carries: colours, and whatever else is to be blended like them.
        camera: one for all scenes.

    Raises:
        MissingPartError: as in `load_gsplat`.
    """
    n = len(means)
    T_camera_world = torch.eye(4, device=means.device).expand(n, 1, 4, 4)
    intrinsics = [[camera.focal_px, 0.0, camera.cx], [0.0, camera.focal_px, camera.cy], [0.0, 0.0, 1.0]]
    drawn, alpha, _ = load_gsplat()(
        means=means,
        quats=quats,
        scales=scales,
        opacities=opacities,
        colors=features,
        viewmats=T_camera_world,
        Ks=torch.tensor(intrinsics, device=means.device).expand(n, 1, 3, 3),
        width=camera.width,
        height=camera.height,
        near_plane=NEAR,
        eps2d=BLUR_PX2,
        packed=False,
    )
    return drawn[:, 0], alpha[:, 0, ..., 0]


def over(
    drawn: Float[Tensor, "*B H W 3"], alpha: Float[Tensor, "*B H W"], background: Float[Tensor, "H W 3"]
) -> Float[Tensor, "*B H W 3"]:
    """Colours blended over a background picture (gsplat itself knows one background colour per picture only)."""
    return drawn + (1 - alpha)[..., None] * background


def rasterize_cuda(
    gaussians: Gaussians,
    camera: Camera,
    background: Float[Tensor, "H W 3"],
    extra: Float[Tensor, "N C"] | None = None,
) -> Rendering:
    """Draw Gaussians over a background on the GPU; arguments and result as `locutor.splat.cpu.rasterize`.

    Differentiable with respect to the five tensors of `gaussians`, `extra` and the background.

    Raises:
        MissingPartError: as in `load_gsplat`.
        ValueError: the background is not of the camera's size.
    """
    if background.shape[:2] != (camera.height, camera.width):
        raise ValueError(
            f"background has shape {list(background.shape)}, expected [{camera.height}, {camera.width}, 3]"
        )
    features = gaussians.colors if extra is None else torch.cat([gaussians.colors, extra], 1)
    shape = (gaussians.means[None], gaussians.quats[None], gaussians.scales[None])
    drawn, alpha = draw_batch(*shape, gaussians.opacities[None], features[None], camera)
    rgb = over(drawn[0, ..., :3], alpha[0], background)
    return Rendering(rgb, alpha[0], None if extra is None else drawn[0, ..., 3:])

"""The rasteriser in plain PyTorch: the truth that the native one is tested against.

EWA splatting (Zwicker et al. 2001) as in 3D Gaussian Splatting (Kerbl et al. 2023, sections 4 and 6), with the rules
fixed in docs/rasteriser.md. Any device, any floating dtype, differentiable, slow.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from locutor.core.camera import Camera
from locutor.splat.gaussians import Gaussians
from locutor.splat.rendering import Rendering

NEAR = 0.01  # Gaussians with camera z at or below this are not drawn
BLUR_PX2 = 0.3  # added to the diagonal of every image covariance
MAX_ALPHA = 0.999
MIN_ALPHA = 1 / 255  # weaker contributions are dropped
MIN_TRANSMITTANCE = 1e-4  # a pixel is finished below this


def rotation_matrices(quats: Float[Tensor, "*N 4"]) -> Float[Tensor, "*N 3 3"]:
    """Rotation matrices of quaternions wxyz of any norm > 0."""
    w, x, y, z = (quats / quats.norm(dim=-1, keepdim=True)).unbind(-1)
    rows = [
        1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y),
        2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x),
        2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y),
    ]  # fmt: skip
    return torch.stack(rows, -1).unflatten(-1, (3, 3))


def project(gaussians: Gaussians, camera: Camera) -> tuple[Float[Tensor, "N 2"], Float[Tensor, "N 2 2"]]:
    """Centres (px) and blurred covariances (px^2) in the image, of Gaussians in front of the camera."""
    x, y, z = gaussians.means.unbind(-1)
    focal, zero = camera.focal_px, torch.zeros_like(z)
    centres = torch.stack([focal * x / z + camera.cx, focal * y / z + camera.cy], -1)
    jacobian = torch.stack(
        [focal / z, zero, -focal * x / z**2, zero, focal / z, -focal * y / z**2], -1
    ).unflatten(-1, (2, 3))  # fmt: skip
    half = jacobian @ (rotation_matrices(gaussians.quats) * gaussians.scales[..., None, :])
    blur = BLUR_PX2 * torch.eye(2, dtype=half.dtype, device=half.device)
    return centres, half @ half.transpose(-1, -2) + blur


def depth_order(means: Float[Tensor, "N 3"]) -> Int[Tensor, " V"]:
    """Indices of the Gaussians beyond the near plane, nearest first; float32 depth decides, ties keep their order."""
    z = means[:, 2].detach().float()
    order = torch.argsort(z, stable=True)
    return order[z[order] > NEAR]


def rasterize_reference(gaussians: Gaussians, camera: Camera, background: Float[Tensor, "H W 3"]) -> Rendering:
    """Draw Gaussians over a background, front to back (docs/rasteriser.md).

    Args:
        gaussians: the scene; gradients flow to all five tensors.
        camera: its width and height must be those of `background`.
        background: sRGB, same dtype and device as the Gaussians.
    """
    order = depth_order(gaussians.means)
    seen = Gaussians(
        gaussians.means[order],
        gaussians.quats[order],
        gaussians.scales[order],
        gaussians.opacities[order],
        gaussians.colors[order],
    )
    centres, covariances = project(seen, camera)
    conics = torch.linalg.inv(covariances)
    rows = torch.arange(camera.height, dtype=background.dtype, device=background.device) + 0.5
    columns = torch.arange(camera.width, dtype=background.dtype, device=background.device) + 0.5
    py, px = torch.meshgrid(rows, columns, indexing="ij")
    rgb = torch.zeros_like(background)
    transmittance = torch.ones_like(px)
    alive = torch.ones_like(px, dtype=torch.bool)
    for i in range(len(seen)):
        dx, dy = px - centres[i, 0], py - centres[i, 1]
        q = conics[i, 0, 0] * dx * dx + 2 * conics[i, 0, 1] * dx * dy + conics[i, 1, 1] * dy * dy
        alpha = (seen.opacities[i] * torch.exp(-0.5 * q)).clamp(max=MAX_ALPHA)
        drawn = (alpha >= MIN_ALPHA) & alive
        left = transmittance * (1 - alpha)
        alive = alive & ~(drawn & (left <= MIN_TRANSMITTANCE))
        weight = torch.where(drawn & alive, alpha * transmittance, 0)
        rgb = rgb + weight[..., None] * seen.colors[i]
        transmittance = transmittance - weight
    return Rendering(rgb + transmittance[..., None] * background, 1 - transmittance)

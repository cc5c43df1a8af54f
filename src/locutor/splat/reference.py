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

NEAR = 0.01  # Gaussians with camera z below this are not drawn
BLUR_PX2 = 0.3  # added to the diagonal of every image covariance
MAX_ALPHA = 0.999
MIN_ALPHA = 1 / 255  # weaker contributions are dropped
MIN_TRANSMITTANCE = 1e-4  # a Gaussian that would leave this or less is not drawn and finishes its pixel
MARGIN = 0.3  # of half the image: how far outside of it the Jacobian still follows x/z and y/z


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
    margin_x, margin_y = MARGIN * camera.width / 2, MARGIN * camera.height / 2
    x_z = (x / z).clamp(-(camera.cx + margin_x) / focal, (camera.width - camera.cx + margin_x) / focal)
    y_z = (y / z).clamp(-(camera.cy + margin_y) / focal, (camera.height - camera.cy + margin_y) / focal)
    jacobian = torch.stack(
        [focal / z, zero, -focal * x_z / z, zero, focal / z, -focal * y_z / z], -1
    ).unflatten(-1, (2, 3))  # fmt: skip
    half = jacobian @ (rotation_matrices(gaussians.quats) * gaussians.scales[..., None, :])
    blur = BLUR_PX2 * torch.eye(2, dtype=half.dtype, device=half.device)
    return centres, half @ half.transpose(-1, -2) + blur


def depth_order(means: Float[Tensor, "N 3"]) -> Int[Tensor, " V"]:
    """Indices of the Gaussians beyond the near plane, nearest first; float32 depth decides, ties keep their order."""
    z = means[:, 2].detach().float()
    order = torch.argsort(z, stable=True)
    return order[z[order] >= NEAR]


def rasterize_reference(
    gaussians: Gaussians,
    camera: Camera,
    background: Float[Tensor, "H W 3"],
    extra: Float[Tensor, "N C"] | None = None,
) -> Rendering:
    """Draw Gaussians over a background, front to back (docs/rasteriser.md).

    Args:
        gaussians: the scene; gradients flow to all five tensors and to `extra`.
        camera: its width and height must be those of `background`.
        background: sRGB, same dtype and device as the Gaussians.
        extra: further values of each Gaussian, blended like its colour, over 0.
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
    values = seen.colors if extra is None else torch.cat([seen.colors, extra[order]], 1)
    drawing = background.new_zeros(*px.shape, values.shape[1])
    transmittance, finished = torch.ones_like(px), torch.zeros_like(px, dtype=torch.bool)
    for i in range(len(seen)):
        dx, dy = px - centres[i, 0], py - centres[i, 1]
        q = conics[i, 0, 0] * dx * dx + 2 * conics[i, 0, 1] * dx * dy + conics[i, 1, 1] * dy * dy
        alpha = (seen.opacities[i] * torch.exp(-0.5 * q)).clamp(max=MAX_ALPHA)
        hit = (alpha >= MIN_ALPHA) & ~finished
        drawn = hit & (transmittance * (1 - alpha) > MIN_TRANSMITTANCE)
        finished = finished | (hit & ~drawn)
        weight = torch.where(drawn, alpha * transmittance, 0)
        drawing = drawing + weight[..., None] * values[i]
        transmittance = transmittance - weight
    rgb = drawing[..., :3] + transmittance[..., None] * background
    return Rendering(rgb, 1 - transmittance, None if extra is None else drawing[..., 3:])

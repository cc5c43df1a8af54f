"""Random scenes, and the engines of every instruction set that this machine has."""

from collections.abc import Callable

import pytest
import torch
from tests.synthetic.fake_gsplat import fake_gsplat
from torch import Tensor

from locutor.core.camera import Camera
from locutor.splat.engine import Engine, available_isas
from locutor.splat.gaussians import Gaussians
from locutor.splat.reference import MAX_ALPHA, MIN_ALPHA, MIN_TRANSMITTANCE, depth_order, project

__all__ = ["fake_gsplat"]

FIELDS = ("means", "quats", "scales", "opacities", "colors")


@pytest.fixture(scope="session", params=available_isas())
def engine(request: pytest.FixtureRequest) -> Engine:
    return Engine(2, request.param)


def _scene(n: int, width: int, height: int, seed: int = 0, scale: float = 0.05) -> tuple[Gaussians, Camera, Tensor]:
    """`n` Gaussians about 4 units away that roughly fill the picture, and a random background."""
    rng = torch.Generator().manual_seed(seed)
    spread = torch.tensor([width / max(width, height), height / max(width, height), 0.5])
    means = (torch.rand(n, 3, generator=rng) * 2 - 1) * spread + torch.tensor([0.0, 0.0, 4.0])
    gaussians = Gaussians(
        means=means,
        quats=torch.randn(n, 4, generator=rng),
        scales=scale * torch.exp(torch.randn(n, 3, generator=rng) * 0.7),
        opacities=torch.rand(n, generator=rng) * 0.98 + 0.01,
        colors=torch.rand(n, 3, generator=rng) * 1.2 - 0.1,
    )
    camera = Camera(width, height, 2.0 * max(width, height), width / 2 + 0.3, height / 2 - 0.2)
    return gaussians, camera, torch.rand(height, width, 3, generator=rng)


def _converted(gaussians: Gaussians, dtype: torch.dtype, requires_grad: bool = False) -> Gaussians:
    """A copy with leaves of another dtype."""
    fields = (getattr(gaussians, name).detach().to(dtype, copy=True) for name in FIELDS)
    return Gaussians(*(tensor.requires_grad_(requires_grad) for tensor in fields))


def _fragile(gaussians: Gaussians, camera: Camera) -> Tensor:
    """Pixels [H, W] where rounding may decide: some alpha is at the cut at 1/255 or the clamp at .999, or some Gaussian
    would leave a transmittance at the limit."""
    order = depth_order(gaussians.means)
    near = Gaussians(*(getattr(gaussians, name)[order].double() for name in FIELDS))
    centres, covariances = project(near, camera)
    rows, columns = (torch.arange(size, dtype=torch.float64) + 0.5 for size in (camera.height, camera.width))
    y, x = torch.meshgrid(rows, columns, indexing="ij")
    fragile, finished = torch.zeros(2, camera.height, camera.width, dtype=torch.bool)
    transmittance, error = torch.ones_like(x), torch.full_like(x, 1e-3)  # the error is relative
    for centre, conic, opacity in zip(centres, torch.linalg.inv(covariances), near.opacities, strict=True):
        d = torch.stack([x - centre[0], y - centre[1]], -1)
        alpha = opacity * torch.exp(-0.5 * torch.einsum("hwi,ij,hwj->hw", d, conic, d))
        fragile |= ~finished & ((alpha / MIN_ALPHA - 1).abs() < 1e-3)
        fragile |= ~finished & ((alpha / MAX_ALPHA - 1).abs() < 1e-4)
        alpha = torch.where(alpha >= MIN_ALPHA, alpha.clamp(max=MAX_ALPHA), 0)
        error = error + 1e-5 * alpha / (1 - alpha)
        left = transmittance * (1 - alpha)
        fragile |= ~finished & ((left / MIN_TRANSMITTANCE - 1).abs() < error)
        finished |= left <= MIN_TRANSMITTANCE
        transmittance = torch.where(finished, transmittance, left)
    return fragile


@pytest.fixture(scope="session")
def scene() -> Callable[..., tuple[Gaussians, Camera, Tensor]]:
    return _scene


@pytest.fixture(scope="session")
def converted() -> Callable[..., Gaussians]:
    return _converted


@pytest.fixture(scope="session")
def fragile() -> Callable[..., Tensor]:
    return _fragile

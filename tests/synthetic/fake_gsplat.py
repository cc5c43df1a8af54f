"""A stand-in for gsplat that draws with our reference: what we hand over and take back, checked without a GPU."""

import sys
from types import ModuleType

import pytest
import torch
from torch import Tensor

from locutor.core.camera import Camera
from locutor.splat import cuda
from locutor.splat.gaussians import Gaussians
from locutor.splat.reference import rasterize_reference


class FakeGsplat:
    """Remembers the keyword arguments of its calls; holds them to the shapes that gsplat 1.5.3 asserts."""

    def __init__(self) -> None:
        self.calls: list[dict] = []

    def rasterization(self, **given) -> tuple[Tensor, Tensor, dict]:
        self.calls.append(given)
        means, features, intrinsics = given["means"], given["colors"], given["Ks"]
        n_scenes, n, _ = means.shape
        assert given["quats"].shape == (n_scenes, n, 4)
        assert given["scales"].shape == (n_scenes, n, 3)
        assert given["opacities"].shape == (n_scenes, n)
        assert features.shape[:-1] == (n_scenes, n)
        assert intrinsics.shape == (n_scenes, 1, 3, 3)
        assert torch.equal(given["viewmats"], torch.eye(4).expand(n_scenes, 1, 4, 4))
        assert not given["packed"]
        fx, fy, cx, cy = (float(intrinsics[0, 0][at]) for at in ((0, 0), (1, 1), (0, 2), (1, 2)))
        assert fx == fy
        camera = Camera(given["width"], given["height"], fx, cx, cy)
        scenes = [self._draw(given, b, camera) for b in range(n_scenes)]
        drawn, alpha = (torch.stack(parts)[:, None] for parts in zip(*scenes, strict=True))
        return drawn, alpha[..., None], {}

    def _draw(self, given: dict, b: int, camera: Camera) -> tuple[Tensor, Tensor]:
        features = given["colors"][b]
        nothing = torch.zeros(camera.height, camera.width, 3, dtype=features.dtype)
        shape = (given[name][b] for name in ("means", "quats", "scales", "opacities"))
        means, quats, scales, opacities = shape
        planes = []
        for three in torch.nn.functional.pad(features, (0, -features.shape[1] % 3)).split(3, dim=1):
            drawn = rasterize_reference(Gaussians(means, quats, scales, opacities, three), camera, nothing)
            planes.append(drawn.rgb)
        return torch.cat(planes, -1)[..., : features.shape[1]], drawn.alpha


@pytest.fixture
def fake_gsplat(monkeypatch: pytest.MonkeyPatch):
    """gsplat as `locutor.splat.cuda` imports it, for one test."""
    fake = FakeGsplat()
    package, kernels, backend = ModuleType("gsplat"), ModuleType("gsplat.cuda"), ModuleType("gsplat.cuda._backend")
    package.rasterization, kernels._backend, backend._C = fake.rasterization, backend, object()
    for module in (package, kernels, backend):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    cuda.load_gsplat.cache_clear()
    yield fake
    cuda.load_gsplat.cache_clear()

"""The native render loop against the differentiable path."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import torch

from locutor.core.camera import Camera
from locutor.splat.bodies import BodyPose, CanonicalGaussians
from locutor.splat.cpu import rasterize
from locutor.splat.posing import pose_gaussians
from locutor.splat.reference import rotation_matrices
from locutor.splat.renderer import NativeRenderer


def avatar(n: int, n_bases: int, n_moving: int) -> tuple[CanonicalGaussians, torch.Tensor, BodyPose]:
    rng = torch.Generator().manual_seed(n)
    canonical = CanonicalGaussians(
        means=torch.rand(n, 3, generator=rng) * 2 - 1,
        quats=torch.randn(n, 4, generator=rng),
        log_scales=torch.randn(n, 3, generator=rng) * 0.4 - 3,
        logit_opacities=torch.randn(n, generator=rng) * 2,
        colors=torch.rand(n, 3, generator=rng) * 1.4 - 0.2,
        logit_attachment=torch.randn(n, generator=rng) * 3,
    )
    quats = torch.tensor([[0.98, 0.1, -0.15, 0.05], [0.99, 0.02, 0.1, -0.04]])
    quats = quats / quats.norm(dim=1, keepdim=True)
    matrices = rotation_matrices(quats)
    pose = BodyPose(
        matrices[0], torch.tensor([0.1, 0.0, 5.0]), quats[0], matrices[1], torch.tensor([0.0, 0.1, 5.1]), quats[1]
    )
    return canonical, torch.randn(n_bases, 9, n_moving, generator=rng) * 0.05, pose


@pytest.mark.parametrize(
    ("n", "n_bases", "n_moving"), [(900, 6, 500), (300, 1, 300), (256, 3, 256), (40, 2, 0), (0, 1, 0)]
)
@pytest.mark.parametrize("size", [(96, 64), (45, 37)])
def test_agrees_with_the_differentiable_path_to_one_grey_level(engine, n, n_bases, n_moving, size) -> None:
    torch.manual_seed(n + size[0])  # a pixel may lie on a cut, where rounding decides
    canonical, bases, pose = avatar(n, n_bases, n_moving)
    camera = Camera(*size, 150.0, size[0] / 2, size[1] / 2)
    background = torch.rand(size[1], size[0], 3) * 1.2 - 0.1
    coefficients = torch.randn(n_bases)
    pixels = NativeRenderer(canonical, bases, camera, background, engine).render(coefficients, pose)

    def difference(bases: torch.Tensor) -> np.ndarray:
        delta = torch.zeros(9, n)
        delta[:, :n_moving] = torch.einsum("k,kcm->cm", coefficients, bases)
        rgb = rasterize(pose_gaussians(canonical, delta, pose), camera, background).rgb
        return np.abs(pixels.astype(int) - (rgb.clamp(0, 1) * 255).round().numpy())

    assert pixels.dtype == np.uint8
    assert difference(bases).max() <= 1
    kept = bases if engine.isa == "portable" else bases.half().float()  # the others keep half precision
    assert (difference(kept) > 0).mean() < 0.01


def test_bases_that_are_zero_somewhere_act_elsewhere(engine) -> None:
    """The face's bases stop where the torso's begin, in the middle of a block; some Gaussians have none."""
    canonical, bases, pose = avatar(900, 7, 800)
    bases[:4, :, 333:] = 0
    bases[4:, :, :333] = 0
    bases[5, :, 333:700] = 0
    bases[:, :, 500:600] = 0
    camera, background, coefficients = Camera(96, 64, 150.0, 48.0, 32.0), torch.rand(64, 96, 3), torch.randn(7)
    pixels = NativeRenderer(canonical, bases, camera, background, engine).render(coefficients, pose)
    delta = torch.nn.functional.pad(torch.einsum("k,kcm->cm", coefficients, bases), (0, 100))
    rgb = rasterize(pose_gaussians(canonical, delta, pose), camera, background).rgb
    assert np.abs(pixels.astype(int) - (rgb.clamp(0, 1) * 255).round().numpy()).max() <= 1


def test_several_threads_may_render_at_once() -> None:
    canonical, bases, pose = avatar(800, 4, 400)
    renderer = NativeRenderer(canonical, bases, Camera(64, 64, 150.0, 32.0, 32.0), torch.rand(64, 64, 3))
    jobs = [np.float32(np.random.default_rng(i).normal(size=4)) for i in range(24)]
    alone = [renderer.render(job, pose) for job in jobs]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda job: renderer.render(job, pose), jobs))
    assert all(np.array_equal(a, b) for a, b in zip(alone, together, strict=True))
    assert not np.array_equal(alone[0], alone[1])


def test_wrong_input_is_refused_by_name() -> None:
    canonical, bases, pose = avatar(50, 3, 20)
    camera, background = Camera(20, 16, 30.0, 10.0, 8.0), torch.zeros(16, 20, 3)
    renderer = NativeRenderer(canonical, bases, camera, background)
    with pytest.raises(ValueError, match=r"coefficients has shape \[2\], expected \[3\]"):
        renderer.render(torch.zeros(2), pose)
    with pytest.raises(ValueError, match="M at most the number of Gaussians"):
        NativeRenderer(canonical, torch.zeros(3, 9, 51), camera, background)
    with pytest.raises(ValueError, match=r"background has shape \[20, 20, 3\]"):
        NativeRenderer(canonical, bases, camera, torch.zeros(20, 20, 3))
    broken = replace(canonical, colors=canonical.colors * float("nan"))
    with pytest.raises(ValueError, match="colors holds a value"):
        NativeRenderer(broken, bases, camera, background)

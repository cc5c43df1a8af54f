"""Milliseconds of the native rasteriser, loss and posing on a synthetic head, and how much faster than PyTorch.

    python benchmarks/raster.py [--repeats 30]

CPU time stands beside wall time: where other programs use the cores, wall time says little.
"""

import argparse
import math
import time
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from locutor.core.camera import Camera
from locutor.splat import (
    BodyPose,
    CanonicalGaussians,
    Gaussians,
    NativeRenderer,
    photometric_loss,
    pose_gaussians,
    rasterize,
    rasterize_reference,
)
from locutor.splat.engine import default_engine
from locutor.splat.photometric import photometric_loss_reference

N_BASES = 32


def head(n: int, size: int) -> tuple[CanonicalGaussians, Camera, Tensor]:
    """A head of 60 % of the Gaussians, hair and a torso that cover about two thirds of the picture."""
    rng = np.random.default_rng(0)

    def shell(count: int, radii: list[float], centre: list[float]) -> np.ndarray:
        direction = rng.normal(size=(count, 3))
        direction /= np.linalg.norm(direction, axis=1, keepdims=True)
        return direction * radii * rng.uniform(0.95, 1.05, (count, 1)) + centre

    n_head, n_torso = int(0.6 * n), int(0.25 * n)
    means = np.concatenate(
        [
            shell(n_head, [0.5, 0.68, 0.58], [0, -0.18, 4]),
            shell(n_torso, [0.95, 0.55, 0.4], [0, 1.02, 4.15]),
            shell(n - n_head - n_torso, [0.55, 0.74, 0.64], [0, -0.2, 4.02]),
        ]
    )
    sigma = 0.0135 * math.sqrt(20_000 / n)
    opacities = np.clip(rng.beta(1.1, 0.9, n), 0.1, 0.99)
    arrays = (
        means,
        rng.normal(size=(n, 4)),
        np.log(sigma) + rng.normal(size=(n, 3)) * 0.55 - np.array([0, 0, 1]),
        np.log(opacities / (1 - opacities)),
        rng.uniform(0, 1, (n, 3)),
        rng.normal(size=n) * 4,
    )
    camera = Camera(size, size, 1250 * size / 512, size / 2, size / 2)
    background = torch.rand(3, size, size, generator=torch.Generator().manual_seed(0)).permute(1, 2, 0)
    return CanonicalGaussians(*(torch.tensor(a, dtype=torch.float32) for a in arrays)), camera, background


def measured(f: Callable[[], object], repeats: int) -> tuple[float, float]:
    """Median wall and CPU milliseconds of one call."""
    f()
    wall, cpu = [], []
    for _ in range(repeats):
        wall_s, cpu_s = time.perf_counter(), time.process_time()
        f()
        wall.append(time.perf_counter() - wall_s)
        cpu.append(time.process_time() - cpu_s)
    return 1e3 * float(np.median(wall)), 1e3 * float(np.median(cpu))


def identity_pose() -> BodyPose:
    wxyz = torch.tensor([1.0, 0, 0, 0])
    return BodyPose(torch.eye(3), torch.zeros(3), wxyz, torch.eye(3), torch.zeros(3), wxyz)


def leaves(gaussians: Gaussians) -> list[Tensor]:
    fields = (gaussians.means, gaussians.quats, gaussians.scales, gaussians.opacities, gaussians.colors)
    return [t.detach().clone().requires_grad_() for t in fields]


def report(n: int, size: int, repeats: int) -> None:
    canonical, camera, background = head(n, size)
    pose, delta = identity_pose(), torch.zeros(9, n)
    target = torch.randint(0, 256, (size, size, 3), dtype=torch.uint8)
    weight = torch.ones(size, size)
    scene = leaves(pose_gaussians(canonical, delta, pose))
    picture = rasterize(Gaussians(*scene), camera, background).rgb.detach().requires_grad_()
    on_rgb = torch.rand(3, size, size).permute(1, 2, 0)
    renderer = NativeRenderer(canonical, 1e-4 * torch.randn(N_BASES, 9, n // 2), camera, background)
    coefficients = torch.randn(N_BASES)
    moved = delta.clone().requires_grad_()

    def forward() -> None:
        with torch.no_grad():
            rasterize(Gaussians(*scene), camera, background)

    def both() -> None:
        torch.autograd.grad(rasterize(Gaussians(*scene), camera, background).rgb, scene, on_rgb)

    def loss() -> None:
        torch.autograd.grad(photometric_loss(picture, target, weight, 0.2).loss, picture)

    def posing() -> None:
        posed = pose_gaussians(canonical, moved, pose)
        torch.autograd.grad([posed.means, posed.quats], moved, [posed.means, posed.quats])

    rows = {
        "forward": forward,
        "forward + backward": both,
        "loss + gradient": loss,
        "posing + gradient": posing,
        "render loop (field, pose, draw, 8 bit)": lambda: renderer.render(coefficients, pose),
    }
    print(f"\n{n} Gaussians, {size}x{size}: {100 * covered(scene, camera, background):.0f} % of the picture covered")
    for name, f in rows.items():
        wall_ms, cpu_ms = measured(f, repeats)
        print(f"  {name:40s} {wall_ms:7.2f} ms wall {cpu_ms:7.2f} ms CPU")


def covered(scene: list[Tensor], camera: Camera, background: Tensor) -> float:
    with torch.no_grad():
        return (rasterize(Gaussians(*scene), camera, background).alpha > 0).float().mean().item()


def report_ratio(n: int, size: int, repeats: int) -> None:
    """The reference is slow and keeps every layer for its backward pass, so it gets a small scene."""
    canonical, camera, background = head(n, size)
    scene = leaves(pose_gaussians(canonical, torch.zeros(9, n), identity_pose()))
    target, weight = torch.randint(0, 256, (512, 512, 3), dtype=torch.uint8), torch.ones(512, 512)
    picture = torch.rand(3, 512, 512).permute(1, 2, 0).requires_grad_()
    print(f"\nTimes faster than PyTorch ({n} Gaussians, {size}x{size}; the loss at 512x512)")
    for name, ours, theirs in (
        (
            "forward",
            lambda: rasterize(Gaussians(*scene), camera, background).rgb,
            lambda: rasterize_reference(Gaussians(*(t.detach() for t in scene)), camera, background).rgb,
        ),
        (
            "forward + backward",
            lambda: rasterize(Gaussians(*scene), camera, background).rgb.sum().backward(),
            lambda: rasterize_reference(Gaussians(*scene), camera, background).rgb.sum().backward(),
        ),
        (
            "loss + gradient",
            lambda: photometric_loss(picture, target, weight, 0.2).loss.backward(),
            lambda: photometric_loss_reference(picture, target, weight, 0.2).loss.backward(),
        ),
    ):
        (wall_ms, _), (reference_ms, _) = measured(ours, repeats), measured(theirs, 1)
        print(f"  {name:40s} {reference_ms / wall_ms:7.0f} x   ({wall_ms:.2f} ms against {reference_ms:.0f} ms)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=30, help="runs of each measurement; the median is printed")
    repeats = parser.parse_args().repeats
    print(f"{default_engine().isa}, {default_engine().threads} threads, medians of {repeats} runs")
    torch_threads = torch.get_num_threads()
    torch.set_num_threads(1)  # torch has nothing to do here, but its idle OpenMP threads would spin
    for n in (10_000, 20_000):
        for size in (256, 512):
            report(n, size, repeats)
    torch.set_num_threads(torch_threads)
    report_ratio(1_000, 128, repeats)


if __name__ == "__main__":
    main()

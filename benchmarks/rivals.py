"""Our rasteriser beside others on the same scene, in turn: PyTorch, numba, and OpenSplat where a user has it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np
import torch
from benchmarks import opensplat
from benchmarks.scene import Scene, head, leaves, tensors
from benchmarks.timing import Figure, measured, measured_in_turn, torch_threads
from benchmarks.torch_tiles import rasterize_tiles
from torch import Tensor

from locutor.splat import (
    Gaussians,
    photometric_loss,
    pose_gaussians,
    rasterize,
    rasterize_reference,
)
from locutor.splat.engine import default_engine, usable_cores
from locutor.splat.photometric_reference import photometric_loss_reference
from locutor.splat.posing_reference import pose_gaussians_reference

BIG, SMALL = (20_000, 512), (1_000, 128)  # Gaussians and pixels


def figures() -> Iterator[Figure]:
    """Times faster than each; what is compared draws the same picture, which is checked first."""
    with torch_threads(usable_cores()):
        yield from against_torch()
    with torch_threads(1):
        yield from against_numba()
        yield from against_opensplat()


def against_torch() -> Iterator[Figure]:
    small, big = head(*SMALL), head(*BIG)
    yield agreement("PyTorch in tiles against the reference, float64 1k@128", *checked_tiles(small))
    for label, scene, draw, name, repeats in (
        ("1k@128", small, rasterize_reference, "the reference", 1),
        ("20k@512", big, rasterize_tiles, "PyTorch in tiles", 2),
    ):
        plain = scene.posed()
        with torch.no_grad():
            yield ratio(
                f"forward {label} against {name}",
                lambda s=scene, p=plain: rasterize(p, s.camera, s.background),
                lambda s=scene, p=plain, d=draw: d(p, s.camera, s.background),
                repeats,
            )
        yield ratio(
            f"forward + backward {label} against {name}",
            lambda s=scene: both(rasterize, s),
            lambda s=scene, d=draw: both(d, s),
            repeats,
        )
    yield from parts_against_torch(big)


def parts_against_torch(scene: Scene) -> Iterator[Figure]:
    size = scene.camera.width
    target, weight = torch.randint(0, 256, (size, size, 3), dtype=torch.uint8), torch.ones(size, size)
    picture = torch.rand(3, size, size).permute(1, 2, 0).requires_grad_()
    delta = torch.zeros(9, len(scene.canonical)).requires_grad_()

    def loss(f):
        return torch.autograd.grad(f(picture, target, weight, 0.2).loss, picture)

    def posing(f):
        posed = f(scene.canonical, delta, scene.pose)
        return torch.autograd.grad([posed.means, posed.quats], delta, [posed.means, posed.quats])

    yield ratio(
        "loss + gradient 512 against PyTorch",
        lambda: loss(photometric_loss),
        lambda: loss(photometric_loss_reference),
        5,
    )
    yield ratio(
        "posing + gradient 20k against PyTorch",
        lambda: posing(pose_gaussians),
        lambda: posing(pose_gaussians_reference),
        5,
    )


def against_numba() -> Iterator[Figure]:
    name = "forward 20k@512 against numba"
    try:
        from benchmarks.numba_forward import rasterize_numba, use_threads
    except ImportError:
        yield Figure(name, None, "x", note="numba is not installed: pip install 'locutor[bench]'")
        return
    use_threads(min(default_engine().threads, usable_cores()))
    scene = head(*BIG)
    gaussians, background = scene.posed(), np.ascontiguousarray(scene.background.numpy())
    theirs, _ = rasterize_numba(gaussians, scene.camera, background)
    with torch.no_grad():
        ours = rasterize(gaussians, scene.camera, scene.background).rgb.numpy()
        difference = np.abs(ours - theirs)
        yield agreement("numba against ours 20k@512", difference.max(), difference.mean())
        yield ratio(
            name,
            lambda: rasterize(gaussians, scene.camera, scene.background),
            lambda: rasterize_numba(gaussians, scene.camera, background),
            30,
        )


def against_opensplat() -> Iterator[Figure]:
    name = "forward 20k@512 against OpenSplat's CPU rasteriser"
    scene = head(*BIG)
    try:
        theirs = opensplat.measure(scene)
    except opensplat.NotMeasuredError as error:
        yield Figure(name, None, "x", note=str(error))
        return
    gaussians = scene.posed()
    with torch.no_grad():
        ours = measured(lambda: rasterize(gaussians, scene.camera, scene.background), 30)
        black = rasterize(gaussians, scene.camera, torch.zeros_like(scene.background)).rgb.numpy()
    difference = np.abs(black - theirs.picture)
    yield agreement("OpenSplat against ours 20k@512", difference.max(), difference.mean())
    note = f"{ours.wall_ms:.2f} ms against {theirs.timing.wall_ms:.0f} (in a process of its own)"
    yield Figure(name, theirs.timing.wall_ms / ours.wall_ms, "x", ours, note)


def ratio(name: str, ours, theirs, repeats: int) -> Figure:
    """How many times more wall time they take; ours is called 5 times as often."""
    per_round = 5

    def several() -> None:
        for _ in range(per_round):
            ours()

    bundle, their_time = measured_in_turn([several, theirs], repeats)
    our_time = dataclasses.replace(
        bundle,
        wall_ms=bundle.wall_ms / per_round,
        cpu_ms=bundle.cpu_ms / per_round,
        p99_ms=bundle.p99_ms / per_round,
    )
    cpu = their_time.cpu_ms / max(our_time.cpu_ms, 1e-6)
    note = f"{our_time.wall_ms:.2f} ms against {their_time.wall_ms:.1f}; {cpu:.0f} x in CPU time"
    return Figure(name, their_time.wall_ms / our_time.wall_ms, "x", our_time, note)


def agreement(name: str, largest: float, mean: float) -> Figure:
    """Greatest difference of two pictures."""
    return Figure(f"check: {name}", float(largest), "max", note=f"mean {mean:.1e}")


def both(draw, scene: Scene) -> list[Tensor]:
    """Gradients of a picture, drawn from fresh leaves."""
    gaussians = leaves(scene.posed())
    return list(torch.autograd.grad(draw(gaussians, scene.camera, scene.background).rgb.sum(), tensors(gaussians)))


def checked_tiles(scene: Scene) -> tuple[float, float]:
    """Largest and mean difference of the tile-wise PyTorch rasteriser from the reference, in float64."""
    gaussians = Gaussians(*(t.detach().double() for t in tensors(scene.posed())))
    background = scene.background.double()
    with torch.no_grad():
        pictures = [draw(gaussians, scene.camera, background).rgb for draw in (rasterize_tiles, rasterize_reference)]
    difference = (pictures[0] - pictures[1]).abs()
    return difference.max().item(), difference.mean().item()

"""Frames per second of drawing, and of posing and drawing, by number of Gaussians, size and instruction set."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from benchmarks.scene import Scene, head
from benchmarks.timing import Figure, per_second, torch_threads

from locutor.splat import NativeRenderer, rasterize
from locutor.splat.engine import Engine, available_isas, default_engine, usable_cores

REPEATS = 40
COUNTS, SIZES = (10_000, 20_000, 40_000), (256, 512)


def figures() -> Iterator[Figure]:
    """Float pictures from posed Gaussians (`render`), and 8-bit ones from coefficients and a pose (`pose+render`)."""
    with torch_threads(1), torch.no_grad():
        for n in COUNTS:
            for size in SIZES:
                yield from by_size(head(n, size), f"{n // 1000}k@{size}")
        scene = head(20_000, 512)
        others = [isa for isa in available_isas() if isa != default_engine().isa]
        for isa in others:
            renderer = renderer_of(scene, Engine(default_engine().threads, isa))
            yield per_second(
                f"pose+render 20k@512, {isa} forced",
                lambda r=renderer: r.render(scene.coefficients, scene.pose),
                REPEATS,
            )
        if usable_cores() > 1:
            alone = renderer_of(scene, Engine(1, default_engine().isa))
            yield per_second(
                "pose+render 20k@512, one thread", lambda: alone.render(scene.coefficients, scene.pose), REPEATS
            )


def by_size(scene: Scene, label: str) -> Iterator[Figure]:
    gaussians, renderer = scene.posed(), renderer_of(scene)
    note = f"{100 * scene.covered():.0f} % of the picture covered"
    yield per_second(
        f"render {label}", lambda: rasterize(gaussians, scene.camera, scene.background), REPEATS, note=note
    )
    yield per_second(f"pose+render {label}", lambda: renderer.render(scene.coefficients, scene.pose), REPEATS)


def renderer_of(scene: Scene, engine: Engine | None = None) -> NativeRenderer:
    """The render loop of a scene."""
    return NativeRenderer(scene.canonical, scene.bases, scene.camera, scene.background, engine)

"""Frames per second of drawing, and of posing and drawing, by number of Gaussians, size and instruction set."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import torch
from benchmarks.scene import Scene, head
from benchmarks.timing import Figure, Timing, measured, per_second, torch_threads

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
            yield one_frame_per_core(scene)


def one_frame_per_core(scene: Scene) -> Figure:
    """As files are drawn (`locutor.avatar.film`): every core has frames of its own; time per frame of all together."""
    cores, each = usable_cores(), 8
    renderers = [renderer_of(scene, Engine(1, default_engine().isa)) for _ in range(cores)]

    def some_frames(renderer: NativeRenderer) -> None:
        for _ in range(each):
            renderer.render(scene.coefficients, scene.pose)

    with ThreadPoolExecutor(cores) as pool:
        batch = measured(lambda: list(pool.map(some_frames, renderers)), REPEATS)
    n = cores * each
    timing = Timing(batch.wall_ms / n, batch.cpu_ms / n, batch.p99_ms / n, batch.n)
    return Figure(
        "pose+render 20k@512, one frame per core", timing.per_s, "frames/s", timing, f"{cores} cores, as for files"
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

"""A whole training step at 20k@512 on the embedded performer's footage, and what its parts take."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import numpy as np
import torch
from benchmarks.scene import N_BASES, Scene, head, leaves, tensors
from benchmarks.timing import Figure, Timing, measured, torch_threads

from locutor.capture.packed import unpack_performance
from locutor.capture.performance import Performance
from locutor.fit.config import TrainConfig
from locutor.fit.frame_feed import feed_frames
from locutor.fit.training import Training
from locutor.splat import photometric_loss, pose_gaussians, rasterize

EMBEDDED = resources.files("locutor.actors") / "embedded"
N, SIZE = 20_000, 512
WARM_UP, STEPS, REPEATS = 30, 150, 40


def figures() -> Iterator[Figure]:
    """Steps per second, then milliseconds of the parts on the synthetic scene of the same size."""
    with torch_threads(1):
        step = whole_step()
        yield Figure("training 20k@512", step.per_s, "steps/s", step, f"{N_BASES} bases, frames read from disk")
        spent = 0.0
        for name, timing in parts(head(N, SIZE)).items():
            spent += timing.wall_ms
            yield Figure(f"  of a step: {name}", timing.wall_ms, "ms", timing)
        rest = step.wall_ms - spent
        yield Figure("  of a step: motion field, optimiser, feed", rest, "ms", note="the rest, by difference")


def whole_step() -> Timing:
    """Every step on its own, feed included."""
    with tempfile.TemporaryDirectory() as scratch, resources.as_file(EMBEDDED) as packed:
        folder = Path(scratch) / "performance"
        list(unpack_performance(packed, folder))
        performance = Performance(folder)
        n_mouth = TrainConfig().n_mouth
        config = TrainConfig(n_gaussians=N - n_mouth, n_mouth=n_mouth, n_bases=N_BASES, n_iterations=WARM_UP + STEPS)
        training = Training(performance, config)
        wall_ms, cpu_ms = [], []
        wall, cpu = time.perf_counter(), time.process_time()
        for frame in feed_frames(performance, config, 0):
            training.step(frame)
            now, cpu_now = time.perf_counter(), time.process_time()
            wall_ms.append(1e3 * (now - wall))
            cpu_ms.append(1e3 * (cpu_now - cpu))
            wall, cpu = now, cpu_now
        assert len(training.model.canonical) == N
    late = slice(WARM_UP, None)
    return Timing(
        float(np.median(wall_ms[late])), float(np.median(cpu_ms[late])), float(np.percentile(wall_ms[late], 99)), STEPS
    )


def parts(scene: Scene) -> dict[str, Timing]:
    """Posing, drawing and loss with their gradients."""
    target = torch.randint(0, 256, (SIZE, SIZE, 3), dtype=torch.uint8)
    weight = torch.ones(SIZE, SIZE)
    delta = torch.zeros(9, N).requires_grad_()
    gaussians = leaves(scene.posed())
    drawn = rasterize(gaussians, scene.camera, scene.background).rgb
    picture, on_rgb = drawn.detach().requires_grad_(), torch.rand(3, SIZE, SIZE).permute(1, 2, 0)

    def posing() -> None:
        posed = pose_gaussians(scene.canonical, delta, scene.pose)
        torch.autograd.grad([posed.means, posed.quats], delta, [posed.means, posed.quats])

    return {
        "posing and its gradient": measured(posing, REPEATS),
        "drawing": measured(lambda: rasterize(gaussians, scene.camera, scene.background), REPEATS),
        "gradient of drawing": measured(
            lambda: torch.autograd.grad(drawn, tensors(gaussians), on_rgb, retain_graph=True), REPEATS
        ),
        "loss and its gradient": measured(
            lambda: torch.autograd.grad(photometric_loss(picture, target, weight, 0.2).loss, picture), REPEATS
        ),
    }

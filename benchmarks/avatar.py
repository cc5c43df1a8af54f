"""Frames per second of the embedded performer, and the time of a whole training step on his footage.

python benchmarks/avatar.py
"""

import tempfile
import time
from importlib import resources
from pathlib import Path

import numpy as np

from locutor.avatar.bundle import load_avatar
from locutor.capture.packed import unpack_performance
from locutor.capture.performance import Performance
from locutor.fit.config import TrainConfig
from locutor.fit.frame_feed import feed_frames
from locutor.fit.training import Training

EMBEDDED = resources.files("locutor.actors") / "embedded"
WARM_UP, STEPS, FRAMES = 20, 120, 500


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch, resources.as_file(EMBEDDED) as packed:
        folder = Path(scratch) / "performance"
        list(unpack_performance(packed, folder))
        performance = Performance(folder)
        render(packed / "performer.avatar", performance)
        train(performance)


def render(path: Path, performance: Performance) -> None:
    """Controls to coefficients to posed Gaussians to 8-bit pixels."""
    avatar = load_avatar(path)
    frames = [performance.tracking.motion[k : k + 1] for k in range(FRAMES)]
    wall_ms = []
    cpu_started = time.process_time()
    for motion in frames:
        started = time.perf_counter()
        avatar.render(motion)
        wall_ms.append(1e3 * (time.perf_counter() - started))
    cpu_ms = 1e3 * (time.process_time() - cpu_started) / FRAMES
    median, p99 = np.median(wall_ms), np.percentile(wall_ms, 99)
    print(f"performer, {len(avatar.canonical)} Gaussians, {avatar.camera.width} px: controls to pixels "
          f"{median:.2f} ms wall (p99 {p99:.2f}), {cpu_ms:.2f} ms CPU: {1e3 / median:.0f} frames/s")  # fmt: skip


def train(performance: Performance) -> None:
    config = TrainConfig(n_iterations=WARM_UP + STEPS)
    training = Training(performance, config)
    for frame in feed_frames(performance, config, 0):
        training.step(frame)
        if training.iteration == WARM_UP:
            started, cpu_started = time.perf_counter(), time.process_time()
    wall_ms = 1e3 * (time.perf_counter() - started) / STEPS
    cpu_ms = 1e3 * (time.process_time() - cpu_started) / STEPS
    print(f"training step, {len(training.model.canonical)} Gaussians, {config.n_bases} bases: "
          f"{wall_ms:.1f} ms wall, {cpu_ms:.1f} ms CPU")  # fmt: skip


if __name__ == "__main__":
    main()

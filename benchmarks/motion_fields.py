"""Motion fields against each other at equal CPU time: separable (ours), nonlinear per Gaussian, and their sum.

    python -m benchmarks.motion_fields PERFORMANCE... [--cpu-s 120]

The nonlinear one is what TalkingGaussian (Li et al. 2024) and GSTalker (Chen et al. 2024) do: a network from a
Gaussian's place and the frame's code to its displacement, log-scale and rotation, here with Fourier features of the
place (three layers, PyTorch on the CPU). It starts at rest; the separable field, alone or in the sum, starts with the
motion of the face mesh. Everything else is the same: code, Gaussians, losses, poses, torso. Held-out
frames are drawn with tracked controls and tracked poses; the joint refinement of training poses needs a finished avatar
and is left out for all. The training set's mean frame is the chance row.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, UInt8
from numpy import ndarray
from torch import Tensor, nn

from locutor.avatar.field import CHANNEL_SCALE
from locutor.capture.performance import Performance
from locutor.capture.regions import find_regions
from locutor.evaluate.pictures import psnr_db
from locutor.evaluate.protocols import mean_frame
from locutor.fit.config import TrainConfig
from locutor.fit.field import TrainableField
from locutor.fit.frame_feed import feed_frames
from locutor.fit.training import Training

OCTAVES, HIDDEN = 6, 64
PLACES_EVERY = 100  # iterations between two looks at where the Gaussians are
RATE, FINAL_SHARE = 1e-3, 0.1
TIMED = 40  # steps whose CPU time tells how many fit into the time given
EVERY = 2  # of the held-out frames


class NonlinearField(TrainableField):
    """A network of place and code, alone or added to the bases of a separable field, whose code it shares."""

    def __init__(self, separable: TrainableField, means: Float[Tensor, "N 3"], added: bool, n_iterations: int) -> None:
        self._separable, self._means, self._added = separable, means, added
        self.bases, self.network, self.optimiser = separable.bases, separable.network, separable.optimiser
        n_code = len(self.bases)
        self._of_place = nn.Sequential(
            nn.Linear(3 + 6 * OCTAVES + n_code, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, HIDDEN), nn.ReLU()
        )
        self._out = nn.Linear(HIDDEN, len(CHANNEL_SCALE))
        nn.init.zeros_(self._out.weight)
        nn.init.zeros_(self._out.bias)
        self._scale = torch.tensor(CHANNEL_SCALE)
        parameters = [*self._of_place.parameters(), *self._out.parameters()]
        self._adam = torch.optim.Adam(parameters, lr=RATE, betas=(0.9, 0.99))
        decay = math.exp(math.log(FINAL_SHARE) / n_iterations)
        self._schedule = torch.optim.lr_scheduler.ExponentialLR(self._adam, decay)
        self._steps = 0
        self._places = torch.empty(0)
        self._graph: tuple[Tensor, Tensor] | None = None

    def delta(self, coefficients: Float[Tensor, " K"]) -> Float[Tensor, "9 M"]:
        if self._steps % PLACES_EVERY == 0:
            self._places = fourier(self._means[: len(self)].detach())
        code = coefficients.detach().requires_grad_()
        with torch.enable_grad():
            inputs = torch.cat([self._places, code.expand(len(self), -1)], 1)
            moved = (self._out(self._of_place(inputs)) * self._scale).T
        self._graph = code, moved
        return moved.detach() + self._separable.delta(coefficients) if self._added else moved.detach()

    def learn(self, coefficients: Float[Tensor, " K"], d_delta: Float[Tensor, "9 N"], first: int, rate: float) -> None:
        assert self._graph is not None
        code, moved = self._graph
        self._adam.zero_grad()
        moved.backward(d_delta[:, first : first + len(self)])
        gradient = code.grad
        if self._added:
            gradient = gradient + self.optimiser.step(rate, coefficients.detach(), d_delta, first)
        coefficients.backward(gradient)
        self._adam.step()
        self._schedule.step()
        self._steps += 1


def fourier(places: Float[Tensor, "M 3"]) -> Float[Tensor, "M F"]:
    """Places (inter-ocular units), and sines and cosines of them in `OCTAVES` octaves."""
    angles = torch.cat([2.0**octave * places for octave in range(OCTAVES)], 1)
    return torch.cat([places, angles.sin(), angles.cos()], 1)


def training_of(performance: Performance, config: TrainConfig, field: str) -> Training:
    training = Training(performance, config)
    if field != "separable":
        model = training.model
        model.face = NonlinearField(model.face, model.canonical.means, field == "both", config.n_iterations)
    return training


def trained(performance: Performance, field: str, cpu_s: float) -> tuple[Training, float]:
    """Trained for about `cpu_s` seconds of CPU time of all threads; and what it took."""
    probe = training_of(performance, TrainConfig(n_iterations=TIMED), field)
    started = time.process_time()
    for frame in feed_frames(performance, probe.config, 0):
        probe.step(frame)
    config = TrainConfig(n_iterations=int(cpu_s * TIMED / (time.process_time() - started)))
    training = training_of(performance, config, field)
    started = time.process_time()
    for frame in feed_frames(performance, config, 0):
        training.step(frame)
    return training, time.process_time() - started


def scores(performance: Performance, picture: Callable[[int], UInt8[ndarray, "H W 3"]]) -> dict[str, float]:
    """Mean PSNR (dB) of frame, face and mouth box over the held-out frames."""
    regions = find_regions(performance.tracking.landmarks, performance.camera.width)
    rows = []
    for k in range(performance.n_train, len(performance), EVERY):
        truth, drawn = performance.frames.rgb(k), picture(k)
        row = [psnr_db(truth, drawn)]
        for left, top, right, bottom in (regions.face[k], regions.mouth[k]):
            row.append(psnr_db(truth[top:bottom, left:right], drawn[top:bottom, left:right]))
        rows.append(row)
    return dict(zip(("frame", "face", "mouth"), np.mean(rows, 0).tolist(), strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("performances", type=Path, nargs="+", help="folders that `locutor capture` made")
    parser.add_argument("--cpu-s", type=float, default=120.0, help="CPU seconds of each training")
    options = parser.parse_args()
    torch.set_num_threads(1)
    print(f"{'clip':<28s}{'field':<14s}{'steps':>7s}{'CPU s':>8s}{'frame':>8s}{'face':>8s}{'mouth':>8s}")
    for folder in options.performances:
        performance = Performance(folder)
        chance = mean_frame(performance)
        print(line(folder.name, "mean frame", 0, 0.0, scores(performance, lambda _, chance=chance: chance)), flush=True)
        for field in ("separable", "nonlinear", "both"):
            training, cpu_s = trained(performance, field, options.cpu_s)
            print(
                line(folder.name, field, training.iteration, cpu_s, scores(performance, training.picture)), flush=True
            )


def line(clip: str, field: str, steps: int, cpu_s: float, figures: dict[str, float]) -> str:
    return f"{clip[:27]:<28s}{field:<14s}{steps:>7d}{cpu_s:>8.0f}" + "".join(f"{v:>8.2f}" for v in figures.values())


if __name__ == "__main__":
    main()

"""Training as a stream of events: whoever consumes it (terminal, log, test) sets the pace."""

from __future__ import annotations

import dataclasses
import json
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy import ndarray

from locutor.avatar.avatar import Avatar, Provenance, body_pose
from locutor.avatar.bundle import save_avatar
from locutor.avatar.controls import N_CONTROLS, ControlSpace, fit_controls
from locutor.capture.performance import Performance
from locutor.core.events import Event, Progress, Warned, Wrote
from locutor.core.files import atomic_path
from locutor.drive.voice import VoiceConfig, fit_voice
from locutor.fit.config import TrainConfig
from locutor.fit.frame_feed import TrainingFrame, feed_frames
from locutor.fit.initial import initial_gaussians
from locutor.fit.model import GRADIENT_SCALE, TrainableAvatar
from locutor.fit.relocate import PullMeter, relocate
from locutor.media.pictures import encode_png
from locutor.splat.cpu import rasterize
from locutor.splat.photometric import PhotometricLoss, photometric_loss
from locutor.splat.posing import pose_gaussians

STAGE = "training"
RELOCATE_EVERY = 500
RELOCATE_FROM, RELOCATE_UNTIL = 900, 0.6  # first iteration; share of the training
CHECKPOINT, EVENTS, CONFIG, PREVIEW = "checkpoint.pt", "events.jsonl", "config.json", "preview.png"
FINISHED = "finished.avatar"


@dataclass(frozen=True)
class Trained(Event):
    """Figures of the last iterations, on training frames.

    Attributes:
        iteration: iterations done.
        loss, l1, ssim, psnr_db: means since the last event.
        iterations_per_s: pace since the start.
    """

    iteration: int
    loss: float
    l1: float
    ssim: float
    psnr_db: float
    iterations_per_s: float


def train_avatar(performance: Performance, run: Path, config: TrainConfig) -> Iterator[Event]:
    """Learn an avatar of `performance`; the run folder takes config, events, checkpoints and previews.

    Goes on from the run's checkpoint when there is one of the same settings and footage. The finished
    avatar is `run / FINISHED`, and the last event is its `Wrote`.
    """
    run.mkdir(parents=True, exist_ok=True)
    with (run / EVENTS).open("a") as log:
        for event in _train(performance, run, config):
            log.write(event.as_json() + "\n")
            log.flush()
            yield event


def _train(performance: Performance, run: Path, config: TrainConfig) -> Iterator[Event]:
    tracking = performance.tracking
    motion = tracking.motion[: performance.n_train]
    controls = fit_controls(motion, tracking.reference_wxyz, tracking.reference_xyz)
    identity = _identity(performance, config)
    (run / CONFIG).write_text(json.dumps(identity, indent=1) + "\n")
    model = TrainableAvatar(
        initial_gaussians(performance, config.n_gaussians, config.n_mouth, config.seed),
        config.n_bases,
        N_CONTROLS,
        config.seed,
    )
    start, trained_s = _resume(run, identity, model)
    if start:
        yield Warned(f"going on from iteration {start} of {run}")
    yield from _iterate(performance, run, config, controls, identity, model, start, trained_s)
    avatar = _finish(performance, config, controls, model, _trained_s(run))
    if performance.meta.has_sound:
        started = time.monotonic()
        yield Progress("learning the voice", 0, 1, 0.0)
        voice = fit_voice(performance.sound[: performance.n_train * 640], motion, VoiceConfig())
        avatar = dataclasses.replace(avatar, voice=voice.to_tensors())
        yield Progress("learning the voice", 1, 1, time.monotonic() - started)
    path = run / FINISHED
    save_avatar(avatar, path, preview=_picture(performance, model, controls, tracking.reference_frame))
    yield Wrote(path, "avatar")


def _iterate(
    performance: Performance,
    run: Path,
    config: TrainConfig,
    controls: ControlSpace,
    identity: dict[str, Any],
    model: TrainableAvatar,
    start: int,
    trained_before_s: float,
) -> Iterator[Event]:
    encoded = torch.from_numpy(controls.encode(performance.tracking.motion))
    background = torch.from_numpy(performance.plate.astype(np.float32) / 255)
    noise = torch.Generator().manual_seed(config.seed + start)
    meter = PullMeter(torch.zeros(len(model.canonical)))
    started = time.monotonic()
    recent: list[PhotometricLoss] = []
    for iteration, frame in enumerate(feed_frames(performance, config, start), start):
        model.set_rates(iteration / config.n_iterations)
        recent.append(_step(performance, model, encoded[frame.k], frame, background, noise, config))
        meter.add(model.canonical.means)
        done = iteration + 1
        if done % RELOCATE_EVERY == 0 and RELOCATE_FROM <= done <= RELOCATE_UNTIL * config.n_iterations:
            relocate(model, meter, noise)
        elapsed_s = time.monotonic() - started
        if done % 50 == 0 or done == config.n_iterations:
            figures = _figures(recent, done, (done - start) / elapsed_s)
            recent = []
            yield figures
            remaining = config.n_iterations - start
            note = f"PSNR {figures.psnr_db:.1f} dB  {figures.iterations_per_s:.0f} it/s"
            yield Progress(STAGE, done - start, remaining, elapsed_s, note)
        if done % config.preview_every == 0:
            picture = _picture(performance, model, controls, performance.tracking.reference_frame)
            _write_picture(run / PREVIEW, picture)
        if done % config.checkpoint_every == 0 or done == config.n_iterations:
            record = {"identity": identity, "iteration": done, "trained_s": trained_before_s + elapsed_s}
            with atomic_path(run / CHECKPOINT) as part:
                torch.save(record | model.state(), part)


def _step(
    performance: Performance,
    model: TrainableAvatar,
    controls: torch.Tensor,
    frame: TrainingFrame,
    background: torch.Tensor,
    noise: torch.Generator,
    config: TrainConfig,
) -> PhotometricLoss:
    model.optimiser.zero_grad(set_to_none=True)
    noisy = controls + config.control_noise * torch.randn(controls.shape, generator=noise)
    pose = body_pose(performance.tracking.motion, frame.k)
    gaussians = pose_gaussians(model.canonical, model.delta(model.network(noisy)), pose)
    rendering = rasterize(gaussians, performance.camera, background)
    loss = photometric_loss(rendering.rgb, frame.target, frame.weight, config.ssim_weight)
    (loss.loss * GRADIENT_SCALE).backward()
    model.optimiser.step()
    return loss


def _figures(recent: list[PhotometricLoss], iteration: int, pace: float) -> Trained:
    mse = float(np.mean([loss.mse for loss in recent]))
    return Trained(
        iteration=iteration,
        loss=round(float(np.mean([loss.loss.item() for loss in recent])), 5),
        l1=round(float(np.mean([loss.l1 for loss in recent])), 5),
        ssim=round(float(np.mean([loss.ssim for loss in recent])), 4),
        psnr_db=round(-10 * math.log10(max(mse, 1e-10)), 2),
        iterations_per_s=round(pace, 1),
    )


def _identity(performance: Performance, config: TrainConfig) -> dict[str, Any]:
    """What a checkpoint must share with a run to be gone on from."""
    return {
        "config": dataclasses.asdict(config),
        "footage": performance.meta.source,
        "n_frames": len(performance),
        "framing": dataclasses.asdict(performance.meta.framing),
    }


def _resume(run: Path, identity: dict[str, Any], model: TrainableAvatar) -> tuple[int, float]:
    if not (run / CHECKPOINT).is_file():
        return 0, 0.0
    record = torch.load(run / CHECKPOINT, weights_only=True)
    if record["identity"] != identity:
        return 0, 0.0
    model.restore(record)
    return record["iteration"], record["trained_s"]


def _trained_s(run: Path) -> float:
    return float(torch.load(run / CHECKPOINT, weights_only=True)["trained_s"])


def _finish(
    performance: Performance, config: TrainConfig, controls: ControlSpace, model: TrainableAvatar, trained_s: float
) -> Avatar:
    canonical = dataclasses.replace(
        model.canonical,
        **{f.name: getattr(model.canonical, f.name).detach().contiguous() for f in dataclasses.fields(model.canonical)},
    )
    provenance = Provenance(
        footage=performance.meta.source,
        performance=str(performance.folder.resolve()),
        n_train_frames=performance.n_train,
        iterations=config.n_iterations,
        trained_s=round(trained_s, 1),
    )
    return Avatar(
        canonical=canonical,
        bases=model.finished_bases(),
        network=model.network,
        controls=controls,
        camera=performance.camera,
        plate=performance.plate,
        footage_motion=performance.tracking.motion[: performance.n_train],
        provenance=provenance,
    )


def _picture(performance: Performance, model: TrainableAvatar, controls: ControlSpace, k: int) -> ndarray:
    """The rendering of frame k, 8 bit."""
    encoded = torch.from_numpy(controls.encode(performance.tracking.motion[k : k + 1]))[0]
    background = torch.from_numpy(performance.plate.astype(np.float32) / 255)
    with torch.no_grad():
        pose = body_pose(performance.tracking.motion, k)
        gaussians = pose_gaussians(model.canonical, model.delta(model.network(encoded)), pose)
        rgb = rasterize(gaussians, performance.camera, background).rgb
    return (rgb.clamp(0, 1) * 255 + 0.5).to(torch.uint8).numpy()


def _write_picture(path: Path, rgb: ndarray) -> None:
    with atomic_path(path) as part:
        part.write_bytes(encode_png(rgb))

"""Training as a stream of events: whoever consumes it (terminal, log, test) sets the pace."""

from __future__ import annotations

import dataclasses
import io
import json
import math
import time
import warnings
import zipfile
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from locutor.avatar.avatar import Avatar
from locutor.avatar.bundle import save_avatar
from locutor.capture.performance import Performance
from locutor.core.clock import SAMPLES_PER_FRAME
from locutor.core.errors import FootageError, FormatError
from locutor.core.events import Event, Progress, Warned, Wrote
from locutor.core.files import atomic_path, output_error
from locutor.core.lock import exclusive
from locutor.core.text import one_line
from locutor.drive.voice_fit import fit_voice
from locutor.fit.config import TrainConfig
from locutor.fit.frame_feed import feed_frames
from locutor.fit.pose_refinement import ALL_AT_ONCE
from locutor.fit.training import Training
from locutor.media.pictures import encode_png
from locutor.provenance.revocation import require_consent
from locutor.splat.photometric import PhotometricLoss

REPORT_EVERY = 50  # iterations
CHECKPOINT_VERSION = 5  # to be raised when what `Training.state` holds changes
CHECKPOINT, EVENTS, CONFIG, PREVIEW = "checkpoint.pt", "events.jsonl", "config.json", "preview.png"
FINISHED = "finished.avatar"


@dataclass(frozen=True)
class Trained(Event):
    """Figures of the last iterations, on training frames as they were learnt (the last ones are sharpened).

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

    Raises:
        OutputError: the run folder cannot be written to, is in use by another process, or the disk is full.
        ConsentError: the person's consent has expired or was revoked.
    """
    require_consent(performance.meta.consent, str(performance.folder))
    try:
        run.mkdir(parents=True, exist_ok=True)
        with exclusive(run), (run / EVENTS).open("a") as log:
            for event in _train(performance, run, config):
                log.write(event.as_json() + "\n")
                log.flush()
                yield event
    except OSError as error:
        raise output_error(error, run) from error


def _train(performance: Performance, run: Path, config: TrainConfig) -> Iterator[Event]:
    identity = _identity(performance, config)
    (run / CONFIG).write_text(json.dumps(identity, indent=1) + "\n")
    training = Training(performance, config)
    trained_s = _resume(run, identity, training)
    if training.iteration:
        yield Warned(f"going on from iteration {training.iteration} of {run}")
    trained_s = yield from _iterate(training, run, identity, trained_s)
    avatar = training.avatar(trained_s)
    if performance.meta.has_sound:
        avatar = yield from _learn_voice(performance, avatar)
    path = run / FINISHED
    save_avatar(avatar, path, preview=training.picture(performance.tracking.reference_frame))
    yield Wrote(path, "avatar")


def _iterate(
    training: Training, run: Path, identity: dict[str, Any], trained_s: float
) -> Generator[Event, None, float]:
    """Steps until the end; takes and returns the seconds trained, without the breaks."""
    started = time.monotonic() - trained_s
    config, first = training.config, training.iteration
    reference = training.performance.tracking.reference_frame
    resumed = time.monotonic()
    recent: list[PhotometricLoss] = []
    for frame in feed_frames(training.performance, config, first):
        if training.iteration == round(ALL_AT_ONCE * config.n_iterations) > 0:
            yield from training.refine_frames()
        recent.append(training.step(frame))
        done, finished = training.iteration, training.iteration == config.n_iterations
        if done % REPORT_EVERY == 0 or finished:
            elapsed_s = time.monotonic() - resumed
            figures = _figures(recent, done, (done - first) / elapsed_s)
            recent = []
            yield figures
            note = f"PSNR {figures.psnr_db:.1f} dB  {figures.iterations_per_s:.0f} it/s"
            yield Progress("training", done - first, config.n_iterations - first, elapsed_s, note)
        if done % config.preview_every == 0:
            with atomic_path(run / PREVIEW) as part:
                part.write_bytes(encode_png(training.picture(reference)))
        if done % config.checkpoint_every == 0 or finished:
            trained_s = time.monotonic() - started
            _save(run, {"identity": identity, "trained_s": trained_s, "training": training.state()})
    return trained_s


def _learn_voice(performance: Performance, avatar: Avatar) -> Generator[Event, None, Avatar]:
    started = time.monotonic()
    yield Progress("learning the voice", 0, 1, 0.0)
    motion = performance.tracking.motion[: performance.n_train]
    try:
        voice = fit_voice(performance.sound[: performance.n_train * SAMPLES_PER_FRAME], motion)
    except FootageError as error:
        yield Warned(f"no voice model: {error.what}")
        return avatar
    yield Progress("learning the voice", 1, 1, time.monotonic() - started)
    return dataclasses.replace(avatar, voice=voice.to_tensors())


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
        "checkpoint_version": CHECKPOINT_VERSION,
        "config": dataclasses.asdict(config),
        "footage": performance.meta.source,
        "n_frames": len(performance),
        "framing": dataclasses.asdict(performance.meta.framing),
    }


def _save(run: Path, record: dict[str, Any]) -> None:
    buffer = io.BytesIO()  # torch hides the cause of a failed write
    torch.save(record, buffer)
    with atomic_path(run / CHECKPOINT) as part:
        part.write_bytes(buffer.getbuffer())


def load_checkpoint(path: Path) -> dict[str, Any]:
    """What `_save` wrote. Only numbers and tensors are taken from the file: it cannot run code.

    Raises:
        FormatError: it is damaged.
    """
    try:
        if not zipfile.is_zipfile(path):
            raise ValueError("it is not a zip file")  # torch would unpack older kinds into a folder
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch warns of what it then refuses
            record: dict[str, Any] = torch.load(path, weights_only=True)
        _ = record["identity"], record["trained_s"], record["training"]
    except Exception as error:  # torch's unpickler lets almost any error of a damaged file through
        raise FormatError(f"{path} is damaged ({one_line(error)[:200]})", "remove it; training begins anew") from error
    return record


def _resume(run: Path, identity: dict[str, Any], training: Training) -> float:
    """Restore the run's checkpoint if it fits; returns the seconds trained so far."""
    if not (run / CHECKPOINT).is_file():
        return 0.0
    record = load_checkpoint(run / CHECKPOINT)
    if record["identity"] != identity:
        return 0.0
    training.restore(record["training"])
    return float(record["trained_s"])

"""Make the embedded performer again: clip, tracking and a small trained avatar.

    LOCUTOR_MODELS=... .venv/bin/python tools/embed_performer.py

Needs the model files and the ICT-FaceKit rig in LOCUTOR_MODELS. About 15 minutes on two cores. Same seed, same motion;
the pictures are the same up to the codec's version.
"""

from __future__ import annotations

import dataclasses
import shutil
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np

from locutor.actors.make_performer import FILM, Config, make_performer
from locutor.avatar.bundle import load_avatar, read_preview, save_avatar
from locutor.capture.config import CaptureConfig
from locutor.capture.film import capture_film
from locutor.capture.packed import pack_performance
from locutor.capture.performance import Performance
from locutor.cli.progress import show
from locutor.cli.verbs import SENTENCES, train
from locutor.evaluate.protocols import held_out
from locutor.fit.config import TrainConfig
from locutor.live.say import say_samples
from locutor.media.video import iterate_frames
from locutor.speech.espeak import synthesize

ROOT = Path(__file__).resolve().parents[1]
EMBEDDED = ROOT / "src/locutor/actors/embedded"
SEED, SECONDS = 7, 45.0
SMALL = TrainConfig(n_gaussians=10_000, n_mouth=600, n_bases=16, n_iterations=6_000)


def main() -> None:
    work = Path(tempfile.mkdtemp(prefix="performer-"))
    film = Path(sys.argv[1]) if len(sys.argv) > 1 else _render(work)
    show(capture_film(film, work / "performance", CaptureConfig()))
    performance = Performance(work / "performance")
    shutil.rmtree(EMBEDDED, ignore_errors=True)
    pack_performance(performance, film, EMBEDDED)
    show(train(work / "performance", work / "performer.avatar", False, SMALL))
    _publish(work / "performer.avatar", EMBEDDED / "performer.avatar")
    _picture(performance, work)


def _render(work: Path) -> Path:
    show(make_performer(Config(out=work / "clip", seed=SEED, seconds=SECONDS, crf=23, preset="veryslow")))
    return work / "clip" / FILM


def _publish(trained: Path, target: Path) -> None:
    """The avatar with what the world should know of it, and without the path it was made at."""
    avatar = load_avatar(trained)
    provenance = dataclasses.replace(avatar.provenance, performance="", synthetic=True)
    save_avatar(dataclasses.replace(avatar, provenance=provenance), target, read_preview(trained))


def _picture(performance: Performance, work: Path) -> None:
    """docs/performer.jpg: held-out footage, its replay, and two frames of a sentence that was never said."""
    avatar = load_avatar(EMBEDDED / "performer.avatar")
    part = held_out(performance)
    (face,) = part.motion.require("face")
    widest = int(np.argmax(face[:, 5, 1]))
    speech = synthesize(SENTENCES[0])
    list(say_samples(avatar, speech.samples, speech.sample_rate, work / "said.mp4"))
    spoken = list(iterate_frames(work / "said.mp4"))
    pictures = [
        performance.frames.rgb(part.start + widest),
        avatar.render(part.motion[widest : widest + 1]),
        spoken[len(spoken) // 4],
        spoken[len(spoken) // 2],
    ]
    sheet = cv2.resize(np.hstack(pictures), None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(ROOT / "docs/performer.jpg"), sheet[..., ::-1], (cv2.IMWRITE_JPEG_QUALITY, 88))


if __name__ == "__main__":
    main()

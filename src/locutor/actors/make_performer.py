"""Making a synthetic performer: a film of a person whose every motion is known.

On a busy machine set OMP_NUM_THREADS=1: the matrices are small, and the waiting threads of the BLAS only cost time.
"""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from jaxtyping import UInt8
from numpy import ndarray

from locutor.actors.casting import make_actor
from locutor.actors.generators import GENERATORS
from locutor.actors.ict_rig import find_ict_folder, load_rig
from locutor.actors.look import cast
from locutor.actors.motion import PerformerMotion, perform
from locutor.actors.performance_script import Recital, recite
from locutor.actors.procedural_rig import procedural_rig
from locutor.actors.rig import Rig
from locutor.actors.scene import Actor, draw
from locutor.actors.truth import truth_arrays, with_lips
from locutor.capture.image_store import ImageStoreWriter
from locutor.core.clock import FPS
from locutor.core.errors import LocutorError
from locutor.core.events import Event, Progress, Warned, Wrote
from locutor.core.files import atomic_path, make_folder, refuse_existing_folder
from locutor.core.parallel import map_in_order
from locutor.media.writer import VideoWriter
from locutor.provenance.config import MARKED, MarkConfig
from locutor.provenance.mark import Source, make_mark

FILM, SOUND, TRUTH, LABELS, META = "performer.mp4", "performer.wav", "truth.npz", "labels.images", "meta.json"
VERSION = 1
N_THREADS = 2
VOICES = ("en-us+f2", "en-us", "en-us+m3")


@dataclass(frozen=True)
class Config:
    """What to render.

    Attributes:
        out: folder to make.
        seed: of the person, the order of the sentences and the motion.
        seconds: length.
        voice: espeak-ng's voice; one of three that goes with the seed when left out.
        generator: "A" or "B": two families with other laws of motion that share no colour, lamp or wall.
        size_px: width and height of the picture.
        crf: x264's constant rate factor: higher is smaller.
        preset: x264's speed preset.
        procedural: take the head made by code even where the ICT rig is there.
        marking: how the film says that it is synthetic.
    """

    out: Path
    seed: int = 7
    seconds: float = 45.0
    voice: str = ""
    generator: str = "A"
    size_px: int = 512
    crf: int = 18
    preset: str = "medium"
    procedural: bool = False
    marking: MarkConfig = MARKED


def make_performer(config: Config) -> Iterator[Event]:
    """Render the performer and write all that is known of it; yields progress. docs/performers.md lists the files.

    The folder appears under its name when it is whole.

    Raises:
        LocutorError: there is no such generator.
        FormatError: the face rig is damaged.
        MissingPartError: text to speech is not installed.
        OutputError: the folder exists or cannot be written to.
        MarkError: the film cannot be signed.
    """
    generator = GENERATORS.get(config.generator)
    if generator is None:
        raise LocutorError(f"there is no generator {config.generator!r}", f"choose one of {', '.join(GENERATORS)}")
    refuse_existing_folder(config.out)
    make_folder(config.out.parent)
    rig = _rig(config)
    if rig.name == "procedural" and not config.procedural:
        yield Warned("the ICT rig is not in the model folder (LOCUTOR_MODELS): the head is the one made by code")
    voice = config.voice or VOICES[config.seed % len(VOICES)]
    recital = recite(config.seconds, voice, config.seed)
    motion = perform(rig, recital, config.seed, generator)
    yield Progress("making the person", 0, 1, 0.0)
    started = time.monotonic()
    actor = make_actor(rig, config.seed, config.size_px, generator)
    yield Progress("making the person", 1, 1, time.monotonic() - started)
    with atomic_path(config.out) as folder:
        folder.mkdir()
        truth = truth_arrays(actor, motion, recital)
        np.savez_compressed(folder / TRUTH, allow_pickle=False, **truth)
        soundfile.write(folder / SOUND, recital.samples, recital.sample_rate, subtype="PCM_16")
        yield from _render(actor, motion, recital, truth["landmarks"], config, folder)
        (folder / META).write_text(json.dumps(_meta(config, rig, voice, len(motion)), indent=2) + "\n")
    yield Wrote(config.out, "synthetic performer")


def _rig(config: Config) -> Rig:
    folder = None if config.procedural else find_ict_folder()
    return load_rig(folder) if folder else procedural_rig()


def _render(
    actor: Actor,
    motion: PerformerMotion,
    recital: Recital,
    landmarks: ndarray,
    config: Config,
    folder: Path,
) -> Iterator[Event]:
    """Film and labels, frame by frame in constant memory."""
    started = time.monotonic()
    per_frame = recital.sample_rate // FPS
    video = VideoWriter(
        folder / FILM,
        config.size_px,
        config.size_px,
        recital.sample_rate,
        crf=config.crf,
        preset=config.preset,
        mark=make_mark(config.marking, f"performer {config.generator} {config.seed}", None, Source.ALGORITHM),
    )
    with video, ImageStoreWriter(folder / LABELS, lossless=True) as labels:
        for frame, (rgb, label) in enumerate(frames(actor, motion)):
            video.write_frame(rgb)
            video.write_audio(recital.samples[frame * per_frame : (frame + 1) * per_frame])
            labels.append(with_lips(label, landmarks[frame]))
            if frame % FPS == FPS - 1:
                yield Progress("rendering", frame + 1, len(motion), time.monotonic() - started)


def frames(actor: Actor, motion: PerformerMotion) -> Iterator[tuple[UInt8[ndarray, "H W 3"], UInt8[ndarray, "H W"]]]:
    """Pictures and labels in order; a few are drawn at a time, so memory stays constant."""
    return map_in_order(lambda k: draw(actor, motion.pose(k)), range(len(motion)), N_THREADS)


def _meta(config: Config, rig: Rig, voice: str, n_frames: int) -> dict[str, object]:
    return {
        "version": VERSION,
        "synthetic": True,
        "seed": config.seed,
        "generator": config.generator,
        "rig": rig.name,
        "voice": voice,
        "n_frames": n_frames,
        "fps": FPS,
        "size_px": config.size_px,
        "look": dataclasses.asdict(cast(config.seed, GENERATORS[config.generator])),
    }

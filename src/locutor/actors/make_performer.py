"""Render a synthetic performer: python -m locutor.actors.make_performer --out DIR --seed 7 --seconds 45.

On a busy machine set OMP_NUM_THREADS=1: the matrices are small, and the waiting threads of the BLAS only cost time.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tyro
from jaxtyping import Float32, UInt8
from numpy import ndarray

from locutor.actors.casting import make_actor, voice_of
from locutor.actors.ict_rig import load_rig, rig_folder
from locutor.actors.motion import PerformerMotion, perform
from locutor.actors.performance_script import Recital, recite
from locutor.actors.rig import LANDMARK_EYE_CORNERS, LANDMARK_LIP_GAP
from locutor.actors.scene import HEAD_PIVOT, TORSO_PIVOT, Actor, draw
from locutor.core.arkit import ARKIT_NAMES
from locutor.core.clock import FPS
from locutor.core.errors import LocutorError
from locutor.core.events import Event, Progress, Wrote
from locutor.core.files import atomic_path
from locutor.geometry.rotation import matrix_from_rotvec, wxyz_from_matrix
from locutor.media.writer import VideoWriter

N_THREADS = 2


@dataclass(frozen=True)
class Config:
    """What to render.

    Attributes:
        out: folder for performer.mp4 and truth.npz; it is made if need be.
        seed: of the person, the order of the sentences and the motion.
        seconds: length.
        size_px: width and height of the picture.
        crf: x264's constant rate factor: higher is smaller.
        overwrite: whether files of these names may be replaced.
    """

    out: Path
    seed: int = 7
    seconds: float = 45.0
    size_px: int = 512
    crf: int = 23
    overwrite: bool = False


def make_performer(config: Config) -> Iterator[Event]:
    """Render the performer and write its exact motion; yields progress.

    Raises:
        ModelFileError, FormatError: the face rig is missing or damaged.
        MissingPartError: text to speech is not installed.
        OutputError: the folder cannot be written to.
    """
    config.out.mkdir(parents=True, exist_ok=True)
    video, truth = config.out / "performer.mp4", config.out / "truth.npz"
    rig = load_rig(rig_folder())
    recital = recite(config.seconds, voice_of(config.seed), config.seed)
    motion = perform(rig, recital, config.seed)
    yield Progress("making the person", 0, 1, 0.0)
    actor = make_actor(rig, config.seed, config.size_px)
    started = time.monotonic()
    samples_per_frame = recital.sample_rate // FPS
    with VideoWriter(
        video,
        config.size_px,
        config.size_px,
        recital.sample_rate,
        crf=config.crf,
        preset="veryslow",
        overwrite=config.overwrite,
    ) as writer:
        for frame, rgb in enumerate(_frames(actor, motion)):
            writer.write_frame(rgb)
            writer.write_audio(recital.samples[frame * samples_per_frame : (frame + 1) * samples_per_frame])
            if frame % FPS == FPS - 1:
                yield Progress("rendering", frame + 1, len(motion), time.monotonic() - started)
    yield Wrote(video, "the performer")
    with atomic_path(truth) as part:
        np.savez_compressed(part, allow_pickle=False, **truth_arrays(actor, motion, recital))
    yield Wrote(truth, "its exact motion")


def _frames(actor: Actor, motion: PerformerMotion) -> Iterator[UInt8[ndarray, "H W 3"]]:
    """Pictures in order; a few are drawn at a time, so memory stays constant."""
    with ThreadPoolExecutor(N_THREADS) as pool:
        for first in range(0, len(motion), 4 * N_THREADS):
            poses = [motion.pose(k) for k in range(first, min(first + 4 * N_THREADS, len(motion)))]
            yield from pool.map(lambda pose: draw(actor, pose), poses)


def truth_arrays(actor: Actor, motion: PerformerMotion, recital: Recital) -> dict[str, ndarray]:
    """What is known exactly, one row per frame.

    The head frame has its origin midway between the outer eye corners of the neutral face, x right, y down, z away
    from the camera, in inter-ocular units; the torso frame coincides with it in the rest pose. `lip_gap` is the
    distance of the inner lips' middles, `camera` is (focal_px, cx, cy), phonemes are (symbol, start_s).
    """
    unit = actor.inter_ocular
    corners = actor.neutral[actor.rig.landmarks[list(LANDMARK_EYE_CORNERS)]]
    origin = corners.mean(0)
    phonemes = [p for spoken in recital.spoken for p in spoken.phonemes]
    arrays: dict[str, ndarray] = {
        "fps": np.array(FPS),
        "expression": motion.expression,
        "expression_names": np.array(ARKIT_NAMES),
        "gaze": motion.gaze,
        "lip_gap": lip_gap(actor, motion) / unit,
        "camera": np.array([actor.camera.focal_px, actor.camera.cx, actor.camera.cy]),
        "phoneme_symbols": np.array([p.symbol for p in phonemes]),
        "phoneme_starts_s": np.array([p.start_s for p in phonemes]),
        "line_texts": np.array([s.line.text for s in recital.spoken]),
        "line_starts_s": np.array([s.start_s for s in recital.spoken]),
        "line_ends_s": np.array([s.end_s for s in recital.spoken]),
    }
    bodies = {
        "head": (motion.head_rotvec, motion.head_shift, HEAD_PIVOT),
        "torso": (motion.torso_rotvec, motion.torso_shift, TORSO_PIVOT),
    }
    for name, (rotvec, shift, pivot) in bodies.items():
        R = matrix_from_rotvec(rotvec)
        xyz = (origin - pivot) @ np.swapaxes(R, 1, 2) + pivot + shift + [0, 0, actor.distance]
        arrays[f"{name}_wxyz"] = wxyz_from_matrix(R).astype(np.float32)
        arrays[f"{name}_xyz"] = (xyz / unit).astype(np.float32)
    return arrays


def lip_gap(actor: Actor, motion: PerformerMotion) -> Float32[ndarray, " T"]:
    """Distance between the middles of the inner lips, rig units."""
    upper, lower = actor.rig.landmarks[list(LANDMARK_LIP_GAP)]
    rest = actor.neutral[lower] - actor.neutral[upper]
    per_weight = actor.rig.expression[:, lower] - actor.rig.expression[:, upper]
    return np.linalg.norm(rest + motion.expression @ per_weight, axis=1).astype(np.float32)


def main() -> None:
    """Command line."""
    try:
        for event in make_performer(tyro.cli(Config)):
            print(event.as_json(), file=sys.stderr)
    except LocutorError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()

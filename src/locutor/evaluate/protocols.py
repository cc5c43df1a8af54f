"""The protocols: what drives the avatar on the held-out frames, with chance below and a ceiling above."""

from __future__ import annotations

import dataclasses
from collections.abc import Generator, Iterator
from pathlib import Path

import numpy as np
from jaxtyping import Float32, UInt8
from numpy import ndarray

from locutor.avatar.avatar import Avatar
from locutor.avatar.film import film
from locutor.avatar.pose_tracker import refine_poses
from locutor.capture.performance import Performance
from locutor.core.clock import SAMPLES_PER_FRAME
from locutor.core.events import Event
from locutor.core.face import MOUTH_SLICE
from locutor.core.motion import Motion
from locutor.fit.pose_refinement import footage_from
from locutor.media.video import iterate_frames
from locutor.media.writer import Marking, VideoWriter


@dataclasses.dataclass(frozen=True)
class HeldOut:
    """The last frames of a performance, never used in training.

    Attributes:
        start, end: frame range.
        motion: tracked motion of the range.
        sound: of the range; empty when the footage has none.
    """

    start: int
    end: int
    motion: Motion
    sound: Float32[ndarray, " n"]

    @property
    def frames(self) -> range:
        """Frame numbers."""
        return range(self.start, self.end)


def held_out(performance: Performance) -> HeldOut:
    """The part of the footage that figures are measured on."""
    start, end = performance.n_train, len(performance)
    return HeldOut(
        start,
        end,
        performance.tracking.motion[start:end],
        performance.sound[start * SAMPLES_PER_FRAME : end * SAMPLES_PER_FRAME],
    )


def truth_frames(performance: Performance, part: HeldOut) -> Iterator[UInt8[ndarray, "H W 3"]]:
    """The footage itself."""
    return (performance.frames.rgb(k) for k in part.frames)


def replayed(avatar: Avatar, motion: Motion) -> Iterator[UInt8[ndarray, "H W 3"]]:
    """Protocol `replay`: tracked expression and pose."""
    return film(avatar, [motion])


def with_refined_poses(avatar: Avatar, performance: Performance, part: HeldOut) -> Generator[Event, None, Motion]:
    """Protocol `refined`: head and torso poses by the avatar itself, without a look at the mouth; the face as tracked.

    Returns:
        The motion of the part (as the generator's return value); yields progress.
    """
    return (yield from refine_poses(avatar, part.motion, footage_from(performance, np.array(part.frames))))


def with_mouth(motion: Motion, mouth: Float32[ndarray, "T 58 2"]) -> Motion:
    """Protocol `voice`: the same motion with another mouth."""
    (face,) = motion.require("face")
    face = face.copy()
    face[:, MOUTH_SLICE] = mouth
    return motion.with_channels(face=face)


def static_head(avatar: Avatar, motion: Motion) -> Motion:
    """Chance: the neutral face in the reference pose; the torso moves as tracked."""
    n = len(motion)
    return motion.with_channels(
        face=np.tile(avatar.controls.face_mean.reshape(-1, 2), (n, 1, 1)),
        head_wxyz=np.tile(avatar.controls.reference_wxyz, (n, 1)),
        head_xyz=np.tile(avatar.controls.reference_xyz, (n, 1)),
    )


def mean_frame(performance: Performance, every: int = 4) -> UInt8[ndarray, "H W 3"]:
    """Chance: the mean of the training frames."""
    total = np.zeros((performance.camera.height, performance.camera.width, 3), np.float64)
    chosen = range(0, performance.n_train, every)
    for k in chosen:
        total += performance.frames.rgb(k)
    return (total / len(chosen) + 0.5).astype(np.uint8)


def write_clip(
    path: Path,
    frames: Iterator[UInt8[ndarray, "H W 3"]],
    sound: Float32[ndarray, " n"],
    size: int,
    mark: Marking | None = None,
) -> None:
    """Write frames with their sound; `mark` for all but the true film."""
    with VideoWriter(path, size, size, overwrite=True, mark=mark) as writer:
        for i, rgb in enumerate(frames):
            writer.write_frame(rgb)
            writer.write_audio(sound[i * SAMPLES_PER_FRAME : (i + 1) * SAMPLES_PER_FRAME])


def read_clip(path: Path) -> Iterator[UInt8[ndarray, "H W 3"]]:
    """Frames of a written clip."""
    return iterate_frames(path)

"""The protocols: what drives the avatar on frames it never saw, with chance below and a ceiling above."""

from __future__ import annotations

import dataclasses
from collections.abc import Generator, Iterator
from enum import StrEnum
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Bool, Float, Float32, UInt8
from numpy import ndarray

from locutor.avatar.avatar import Avatar
from locutor.avatar.film import film
from locutor.avatar.light import fit_light
from locutor.avatar.pose_tracker import refine_poses
from locutor.capture.performance import Performance
from locutor.core.clock import SAMPLES_PER_FRAME
from locutor.core.events import Event
from locutor.core.face import MOUTH_SLICE
from locutor.core.motion import Motion
from locutor.evaluate.masks import Masks
from locutor.fit.pose_refinement import footage_from
from locutor.media.video import iterate_frames
from locutor.media.writer import Marking, VideoWriter

SEAM_PX = 5  # of 512: width over which a rendered part fades into the true frame

Picture = UInt8[ndarray, "H W 3"]


class Protocol(StrEnum):
    """Every line that a report can hold. The torso is ours but in the two that say otherwise.

    Attributes:
        kind: `protocol`, `chance` or `ceiling`.
        meaning: in words.
    """

    kind: str
    meaning: str

    def __new__(cls, name: str, kind: str, meaning: str) -> Protocol:
        """The name is the value."""
        self = str.__new__(cls, name)
        self._value_, self.kind, self.meaning = name, kind, meaning
        return self

    REPLAY = "replay", "protocol", "tracked expression and pose"
    REFINED = (
        "refined",
        "protocol",
        "replay, with the poses and the light of every frame found by the avatar itself, the mouth masked out",
    )
    VOICE = "voice", "protocol", "the sound drives the mouth; the rest as in replay"
    FREE = "free", "protocol", "the sound drives everything; no true frame shows the same pose"
    CROSS = (
        "cross",
        "protocol",
        "the embedded performer's voice drives everything; there is no true frame: lips against the performer's own",
    )
    PASTED = (
        "pasted",
        "protocol",
        "the face of voice, in the frame's light, over the true frame: for comparison with papers (portrait mode)",
    )
    TRUE_TORSO = (
        "voice, true torso",
        "protocol",
        "the head of voice over the true torso and background: for comparison with papers that do so",
    )
    SHUFFLED = "shuffled sound", "chance", "voice, with the sound moved by half of the clip in a circle"
    OTHER = "another's motion", "chance", "the expression of another person at this person's true pose"
    STATIC = "static head", "chance", "the neutral face in the reference pose; the torso moves as tracked"
    MEAN = "mean frame", "chance", "the mean of the training frames"
    CROSS_SHUFFLED = "cross, shuffled", "chance", "cross, against the performer's lips of another moment"
    CODEC = "truth through the codec", "ceiling", "the footage itself, written and read again"

    @property
    def is_aligned(self) -> bool:
        """Whether its frames show what the true ones show, so that pictures can be compared."""
        return self not in (Protocol.FREE, Protocol.CROSS, Protocol.CROSS_SHUFFLED)


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


def truth_frames(performance: Performance, part: HeldOut) -> Iterator[Picture]:
    """The footage itself."""
    return (performance.frames.rgb(k) for k in part.frames)


def replayed(avatar: Avatar, motion: Motion) -> Iterator[Picture]:
    """The avatar in a motion."""
    return film(avatar, [motion])


@dataclasses.dataclass(frozen=True)
class Refined:
    """What an avatar finds of the held-out part by looking at it, the mouth masked out.

    Attributes:
        motion: with better poses of head and torso.
        light: gains of the person's colours in every frame (`avatar.light`).
    """

    motion: Motion
    light: Float[ndarray, "T 3"]


def refine(avatar: Avatar, performance: Performance, part: HeldOut) -> Generator[Event, None, Refined]:
    """`Protocol.REFINED`.

    Returns:
        Motion and light of the part (as the generator's return value); yields progress.
    """
    footage = footage_from(performance, np.array(part.frames))
    motion = yield from refine_poses(avatar, part.motion, footage)
    light = yield from fit_light(avatar, motion, footage)
    return Refined(motion, light)


def with_mouth(motion: Motion, mouth: Float32[ndarray, "T 58 2"]) -> Motion:
    """`Protocol.VOICE`: the same motion with another mouth."""
    (face,) = motion.require("face")
    face = face.copy()
    face[:, MOUTH_SLICE] = mouth
    return motion.with_channels(face=face)


def static_head(avatar: Avatar, motion: Motion) -> Motion:
    """`Protocol.STATIC`."""
    n = len(motion)
    return motion.with_channels(
        face=np.tile(avatar.controls.face_mean.reshape(-1, 2), (n, 1, 1)),
        head_wxyz=np.tile(avatar.controls.reference_wxyz, (n, 1)),
        head_xyz=np.tile(avatar.controls.reference_xyz, (n, 1)),
    )


def mean_frame(performance: Performance, every: int = 4) -> Picture:
    """`Protocol.MEAN`."""
    total = np.zeros((performance.camera.height, performance.camera.width, 3), np.float64)
    chosen = range(0, performance.n_train, every)
    for k in chosen:
        total += performance.frames.rgb(k)
    return (total / len(chosen) + 0.5).astype(np.uint8)


def laid_over(rendered: Picture, truth: Picture, where: Bool[ndarray, "H W"]) -> Picture:
    """The rendered picture where the mask holds, the true one elsewhere, with a soft seam on the rendered side."""
    reach = 2 * max(1, round(SEAM_PX * len(truth) / 512)) + 1
    inner = cv2.erode(where.astype(np.float32), np.ones((reach, reach), np.uint8))
    soft = cv2.blur(inner, (reach, reach))[..., None]
    return (truth + soft * (rendered.astype(np.float32) - truth) + 0.5).astype(np.uint8)


def head_of(masks: Masks) -> Bool[ndarray, "H W"]:
    """What `Protocol.TRUE_TORSO` renders: face and hair."""
    return np.asarray(masks.skin | masks.hair)


def write_clip(
    path: Path,
    frames: Iterator[Picture],
    sound: Float32[ndarray, " n"],
    size: tuple[int, int],
    mark: Marking | None = None,
) -> None:
    """Write frames (`size` is width, height) with their sound; `mark` for all but the true film."""
    with VideoWriter(path, *size, overwrite=True, mark=mark) as writer:
        for i, rgb in enumerate(frames):
            writer.write_frame(rgb)
            writer.write_audio(sound[i * SAMPLES_PER_FRAME : (i + 1) * SAMPLES_PER_FRAME])


def read_clip(path: Path) -> Iterator[Picture]:
    """Frames of a written clip."""
    return iterate_frames(path)

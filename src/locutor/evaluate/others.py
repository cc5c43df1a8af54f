"""Another person than the one judged: the embedded performer, whose voice, lips and face are known."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources

from jaxtyping import Float32
from numpy import ndarray

from locutor.capture.performance import META, TRACKING, PerformanceMeta, Tracking
from locutor.core.clock import SAMPLES_PER_FRAME
from locutor.core.face import MOUTH_SLICE
from locutor.core.motion import Motion
from locutor.evaluate.lips import Lips, lips_of
from locutor.media.audio import read_audio

FILM = "video.mp4"
CROSS_FRAMES = 150  # of the performer's speech; six seconds


@dataclass(frozen=True)
class Other:
    """Somebody else.

    Attributes:
        source: name of the film.
        motion: as tracked.
        sound: 16 kHz.
        lips: of the whole motion.
    """

    source: str
    motion: Motion
    sound: Float32[ndarray, " n"]
    lips: Lips


def embedded_performer() -> Other:
    """The synthetic performer that comes with the program."""
    with resources.as_file(resources.files("locutor.actors") / "embedded") as folder:
        motion = Tracking.load(folder / TRACKING).motion
        sound = read_audio(folder / FILM)[: len(motion) * SAMPLES_PER_FRAME]
        source = PerformanceMeta.load(folder / META).source
    (face,) = motion.require("face")
    return Other(source, motion, sound, lips_of(face[:, MOUTH_SLICE]))

"""From protocols to frames: what each line of the report is made of."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32
from numpy import ndarray

from locutor.avatar.avatar import Avatar
from locutor.avatar.light import film_in_light
from locutor.capture.performance import Performance
from locutor.core.clock import SAMPLES_PER_FRAME
from locutor.core.face import MOUTH_SLICE
from locutor.evaluate.lips import Lips, limits_of, lips_of
from locutor.evaluate.masks import find_masks
from locutor.evaluate.others import CROSS_FRAMES, Other
from locutor.evaluate.protocols import (
    HeldOut,
    Picture,
    Protocol,
    Refined,
    head_of,
    laid_over,
    mean_frame,
    replayed,
    static_head,
    truth_frames,
    with_mouth,
)
from locutor.evaluate.voice_folds import driver_of, heard_mouth

Frames = Callable[[], Iterator[Picture]]


@dataclass(frozen=True)
class Way:
    """One way to make frames.

    Attributes:
        protocol: which line of the report it is.
        frames: makes them, as often as it is called.
        sound: that is heard with them.
        lips: the true ones to compare with; None where the truth's own are tracked in the footage.
    """

    protocol: Protocol
    frames: Frames
    sound: Float32[ndarray, " n"]
    lips: Lips | None = None


def ways_of(
    avatar: Avatar, performance: Performance, part: HeldOut, refined: Refined, other: Other | None, true_torso: bool
) -> list[Way]:
    """All lines but the ceiling, which is read from a file. Chance by sound needs an avatar that speaks."""
    motion = part.motion
    still, mean = static_head(avatar, motion), mean_frame(performance)
    ways = [
        Way(Protocol.REPLAY, lambda: replayed(avatar, motion), part.sound),
        Way(Protocol.REFINED, lambda: film_in_light(avatar, refined.motion, refined.light), part.sound),
        Way(Protocol.STATIC, lambda: replayed(avatar, still), part.sound),
        Way(Protocol.MEAN, lambda: iter([mean] * len(part.frames)), part.sound),
    ]
    if other is not None:
        (face,) = other.motion.require("face")
        theirs = motion.with_channels(face=face[np.arange(len(motion)) % len(face)])
        ways.append(Way(Protocol.OTHER, lambda: replayed(avatar, theirs), part.sound))
    if avatar.voice and len(performance.sound):
        ways += _spoken(avatar, performance, part, refined.light, true_torso)
        if other is not None:
            ways += _foreign(avatar, other)
    return ways


def _spoken(
    avatar: Avatar, performance: Performance, part: HeldOut, light: Float[ndarray, "T 3"], true_torso: bool
) -> list[Way]:
    sound, here = performance.sound, slice(part.start, part.end)
    voiced = with_mouth(part.motion, heard_mouth(avatar, sound)[here])
    half = len(performance) // 2 * SAMPLES_PER_FRAME
    shuffled = with_mouth(part.motion, heard_mouth(avatar, np.roll(sound, half))[here])
    free = driver_of(avatar).whole(sound)[here]

    def composed(whole_head: bool) -> Iterator[Picture]:
        drawn = film_in_light(avatar, voiced, light)
        frames = zip(part.frames, truth_frames(performance, part), drawn, strict=True)
        for k, truth, rendered in frames:
            masks = find_masks(performance.matte(k), performance.tracking.landmarks[k])
            yield laid_over(rendered, truth, head_of(masks) if whole_head else masks.skin)

    ways = [
        Way(Protocol.VOICE, lambda: replayed(avatar, voiced), part.sound),
        Way(Protocol.FREE, lambda: replayed(avatar, free), part.sound),
        Way(Protocol.PASTED, lambda: composed(False), part.sound),
        Way(Protocol.SHUFFLED, lambda: replayed(avatar, shuffled), part.sound),
    ]
    return [*ways, Way(Protocol.TRUE_TORSO, lambda: composed(True), part.sound)] if true_torso else ways


def _foreign(avatar: Avatar, other: Other) -> list[Way]:
    n = min(CROSS_FRAMES, len(other.motion))
    sound = other.sound[: n * SAMPLES_PER_FRAME]
    motion = driver_of(avatar).whole(sound)
    later = other.lips.rolled(-len(other.motion) // 2)
    return [
        Way(Protocol.CROSS, lambda: replayed(avatar, motion), sound, other.lips[:n]),
        Way(Protocol.CROSS_SHUFFLED, lambda: replayed(avatar, motion), sound, later[:n]),
    ]


def true_limits(performance: Performance) -> tuple[float, float]:
    """What the person's lip gap ranges over, as tracked in all of the footage."""
    (face,) = performance.tracking.motion.require("face")
    return limits_of(lips_of(face[:, MOUTH_SLICE]).gap)

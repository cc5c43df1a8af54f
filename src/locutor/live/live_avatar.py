"""An avatar that is ready to be driven live: everything that its sessions share."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from jaxtyping import Float32, UInt8
from numpy import ndarray

from locutor.avatar.avatar import Avatar
from locutor.avatar.motion_rows import motion_rows, split_row
from locutor.core.clock import SAMPLE_RATE
from locutor.core.errors import FormatError
from locutor.core.motion import Motion
from locutor.drive.idle_model import IdleModel
from locutor.drive.shared_idle import SharedIdle
from locutor.drive.speak import SpeechDriver
from locutor.drive.voice import VoiceModel
from locutor.splat.engine import Engine, default_engine
from locutor.splat.renderer import NativeRenderer


class LiveAvatar:
    """Driver, control space and renderer of one avatar. Has no state of its own: any number of sessions use it."""

    def __init__(self, avatar: Avatar, shared_walks: int = 0) -> None:
        """Args:
        avatar: must have a voice model.
        shared_walks: how many idle movements all sessions share; each has one of its own if 0.

        Raises:
            FormatError: it has none.
        """
        if not avatar.voice:
            raise FormatError(
                "this avatar has no voice model: its footage had no sound", "train it on a film with the person's voice"
            )
        self.avatar = avatar
        idle = IdleModel.from_tensors(dict(avatar.idle))
        shared = SharedIdle(idle, shared_walks) if shared_walks else None
        self.driver = SpeechDriver(VoiceModel.from_tensors(dict(avatar.voice)), idle, shared)
        self.n_coefficients = len(avatar.bases)
        self.look_ahead = _look_ahead(self.driver)
        """16 kHz samples that the driver must hear before it gives the first frame."""

    def rows(self, motion: Motion, control_offset: Float32[ndarray, " F"] | None = None) -> Float32[ndarray, "T K14"]:
        """`motion_rows` of this avatar."""
        return motion_rows(self.avatar, motion, control_offset)

    def draw(self, row: Float32[ndarray, " K14"]) -> UInt8[ndarray, "H W 3"]:
        """The picture of one row. May be called by several threads at once."""
        return self._renderer.render(*split_row(row))

    @cached_property
    def _renderer(self) -> NativeRenderer:
        avatar = self.avatar
        alone = Engine(1, default_engine().isa)  # has no threads of its own: works in those that call it, all at once
        return NativeRenderer(avatar.canonical, avatar.bases, avatar.camera, avatar.background, alone)


def _look_ahead(driver: SpeechDriver) -> int:
    """By trial: how many samples bring the first frame."""
    low, high = 0, SAMPLE_RATE
    while high - low > 1:
        middle = (low + high) // 2
        n_frames = len(driver.step(driver.init(), np.zeros(middle, np.float32))[1])
        low, high = (low, middle) if n_frames else (middle, high)
    return high

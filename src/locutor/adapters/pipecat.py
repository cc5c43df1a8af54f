"""Pipecat: a video service that stands between the text-to-speech and the output transport (extra `pipecat`).

    face = LocutorVideoService(LiveAvatar(load_avatar("me.avatar")))
    pipeline = Pipeline([transport.input(), stt, llm, tts, face, transport.output()])

The transport needs `video_out_enabled` and the avatar's size.
"""

from __future__ import annotations

import asyncio
from typing import Any

from locutor.adapters.face import Face
from locutor.core.errors import LocutorError, MissingPartError
from locutor.live.live_avatar import LiveAvatar
from locutor.live.sound_line import KEPT_RATE

try:
    from pipecat.frames.frames import (
        CancelFrame,
        EndFrame,
        Frame,
        InterruptionFrame,
        OutputImageRawFrame,
        StartFrame,
        TTSAudioRawFrame,
        TTSStoppedFrame,
    )
    from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
except ImportError as error:
    raise MissingPartError("Pipecat is not installed", "pip install 'locutor[pipecat]'") from error


class LocutorVideoService(FrameProcessor):
    """Takes the voice out of the pipeline and gives it back with the pictures that belong to it."""

    def __init__(self, live: LiveAvatar, seed: int = 0, **kwargs: Any) -> None:
        """Args:
        live: who it is.
        seed: of head movement and blinks.
        kwargs: of `FrameProcessor`.
        """
        super().__init__(**kwargs)
        self._live, self._seed = live, seed
        self._face: Face[TTSStoppedFrame | EndFrame] | None = None
        self._silent = asyncio.Event()  # everything was spoken before the pipeline ends
        self._showing: asyncio.Task[None] | None = None

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Sound and its end wait for their pictures; an interruption silences; everything else passes."""
        await super().process_frame(frame, direction)
        match frame:
            case StartFrame():
                await self.push_frame(frame, direction)
                await self._begin()
                return
            case TTSAudioRawFrame() if self._face is not None:
                try:
                    self._face.hear(frame.audio, frame.sample_rate, frame.num_channels)
                except LocutorError as error:
                    await self.push_error(error_msg=str(error), exception=error)
                return
            case TTSStoppedFrame() if self._face is not None:
                self._face.end(frame)
                return
            case InterruptionFrame() if self._face is not None:
                self._face.interrupt()
                self._silent.set()
            case EndFrame() if self._face is not None:
                self._silent.clear()
                self._face.end(frame)
                await self._silent.wait()
                await self._stop()
            case CancelFrame():
                await self._stop()
        await self.push_frame(frame, direction)

    async def cleanup(self) -> None:
        """The pipeline has ended, however it did."""
        await super().cleanup()
        await self._stop()

    async def _begin(self) -> None:
        if self._face is None:
            self._face = Face(self._live, self._seed)
            await self._face.__aenter__()
            self._showing = self.create_task(self._show(self._face))

    async def _stop(self) -> None:
        face, self._face = self._face, None
        if self._showing is not None:
            await self.cancel_task(self._showing)
            self._showing = None
        if face is not None:
            await face.__aexit__(None, None, None)

    async def _show(self, face: Face[TTSStoppedFrame | EndFrame]) -> None:
        async for shown in face.shown():
            for frame in shown.sounds:
                await self.push_frame(TTSAudioRawFrame(frame.pcm.tobytes(), KEPT_RATE, 1))
            if shown.rgb is not None:
                height, width, _ = shown.rgb.shape
                picture = OutputImageRawFrame(shown.rgb.tobytes(), (width, height), "RGB")
                picture.sync_with_audio = bool(shown.sounds)  # shown with its sound; at once in silence
                await self.push_frame(picture)
            for end in shown.ends:
                if isinstance(end, EndFrame):
                    self._silent.set()
                else:
                    await self.push_frame(end)

"""LiveKit Agents: an avatar that `AvatarRunner` publishes (extra `livekit`).

async with LocutorVideoGenerator(LiveAvatar(load_avatar("me.avatar"))) as video:
    runner = AvatarRunner(room, audio_recv=DataStreamAudioReceiver(room), video_gen=video, options=video.options)
    await runner.start()
    await runner.wait_for_complete()
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import TracebackType

from locutor.adapters.face import Face
from locutor.core.clock import FPS
from locutor.core.errors import MissingPartError
from locutor.live.live_avatar import LiveAvatar
from locutor.live.sound_line import KEPT_RATE

try:
    from livekit import rtc
    from livekit.agents.voice.avatar import AudioSegmentEnd, AvatarOptions, VideoGenerator
except ImportError as error:
    raise MissingPartError("LiveKit's agents are not installed", "pip install 'locutor[livekit]'") from error


class LocutorVideoGenerator(VideoGenerator):
    """The agent's voice in, the avatar's sound and pictures out, at 25 frames per second; idle motion in between."""

    def __init__(self, live: LiveAvatar, seed: int = 0) -> None:
        """Args:
        live: who it is.
        seed: of head movement and blinks.
        """
        self._face: Face[AudioSegmentEnd] = Face(live, seed)

    async def __aenter__(self) -> LocutorVideoGenerator:
        await self._face.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._face.__aexit__(kind, error, traceback)

    @property
    def options(self) -> AvatarOptions:
        """What `AvatarRunner` must know."""
        camera = self._face.live.avatar.camera
        return AvatarOptions(
            video_width=camera.width,
            video_height=camera.height,
            video_fps=FPS,
            audio_sample_rate=KEPT_RATE,
            audio_channels=1,
        )

    async def push_audio(self, frame: rtc.AudioFrame | AudioSegmentEnd) -> None:
        """Speak this after what waits; an end comes out again when it was spoken."""
        if isinstance(frame, AudioSegmentEnd):
            self._face.end(frame)
        else:
            self._face.hear(bytes(frame.data), frame.sample_rate, frame.num_channels)

    def clear_buffer(self) -> None:
        """Be silent now."""
        self._face.interrupt()

    def __aiter__(self) -> AsyncIterator[rtc.VideoFrame | rtc.AudioFrame | AudioSegmentEnd]:
        return self._stream()

    async def _stream(self) -> AsyncIterator[rtc.VideoFrame | rtc.AudioFrame | AudioSegmentEnd]:
        async for shown in self._face.shown():
            for frame in shown.sounds:
                yield rtc.AudioFrame(frame.pcm.tobytes(), KEPT_RATE, 1, len(frame.pcm))
            if shown.rgb is not None:
                height, width, _ = shown.rgb.shape
                yield rtc.VideoFrame(width, height, rtc.VideoBufferType.RGB24, shown.rgb.tobytes())
            for end in shown.ends:
                yield end

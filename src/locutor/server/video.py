"""Server-drawn pictures over plain HTTP: MJPEG (no sound) and fragmented MP4 (with sound)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from fractions import Fraction

import av
import numpy as np
from av.audio.stream import AudioStream
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc
from av.video.stream import VideoStream
from jaxtyping import Float32, UInt8
from numpy import ndarray

from locutor.core.clock import FPS, SAMPLE_RATE
from locutor.live.sound_line import KEPT_RATE
from locutor.live.timeline import LiveFrame
from locutor.media.colour import yuv_frame
from locutor.server.draw import as_jpeg, drawing, drawn
from locutor.server.hub import Hub, Room

BOUNDARY = "frame"
MJPEG = f"multipart/x-mixed-replace; boundary={BOUNDARY}"


async def mjpeg(hub: Hub, room: Room) -> AsyncIterator[bytes]:
    """Pictures as parts of one endless answer, each with its media sample in a header."""
    with drawing(hub):
        seat = hub.sit(room)
        try:
            async for shown in drawn(hub, room, seat):
                if shown.rgb is None or shown.frame is None:
                    continue
                jpeg = await as_jpeg(hub, room, shown.rgb)
                head = f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n"
                yield f"{head}X-Sample: {shown.frame.sample}\r\n\r\n".encode() + jpeg + b"\r\n"
        finally:
            hub.leave(room, seat)


async def mp4(hub: Hub, room: Room) -> AsyncIterator[bytes]:
    """H.264 and AAC in fragments of a frame or two, from time 0 on; what could not be drawn in time is left out."""
    with drawing(hub):
        seat = hub.sit(room)
        camera = room.exhibit.live.avatar.camera
        muxer = FragmentedMp4(camera.width, camera.height)
        loop = asyncio.get_running_loop()
        try:
            async for shown in drawn(hub, room, seat):
                frames = [item for item in shown.items if isinstance(item, LiveFrame)]
                data = await loop.run_in_executor(hub.drawers, muxer.add, frames, shown.rgb)
                if data:
                    yield data
        finally:
            hub.leave(room, seat)
            muxer.close()


class _Sink:
    """A file that can only be written to: whoever could seek would go back to what was sent already."""

    def __init__(self) -> None:
        self._data = bytearray()

    def write(self, data: bytes) -> int:
        self._data += data
        return len(data)

    def taken(self) -> bytes:
        data, self._data = bytes(self._data), bytearray()
        return data


class FragmentedMp4:
    """An mp4 that is written as it goes: every call gives the bytes that a player needs next."""

    def __init__(self, width: int, height: int) -> None:
        """Args: width, height: of the pictures, px; odd ones are padded."""
        self._out = _Sink()
        # Not `frag_every_frame`: with it FFmpeg 8 gives some pictures the time of their neighbour.
        options = {"movflags": "empty_moov+default_base_moof", "frag_duration": "60000", "flush_packets": "1"}
        self._container = av.open(self._out, "w", format="mp4", options=options)
        fast = {"preset": "ultrafast", "tune": "zerolatency", "crf": "23", "g": str(2 * FPS)}
        video: VideoStream = self._container.add_stream("libx264", rate=FPS, options=fast)
        video.width, video.height, video.pix_fmt = width + width % 2, height + height % 2, "yuv420p"
        context = video.codec_context
        context.colorspace, context.color_range = Colorspace.ITU709, ColorRange.MPEG
        context.color_primaries, context.color_trc = ColorPrimaries.BT709, ColorTrc.BT709
        self._video = video
        self._audio: AudioStream = self._container.add_stream("aac", rate=KEPT_RATE, layout="mono")
        self._first: int | None = None  # media sample at time 0
        self._n_sound = 0

    def add(self, frames: list[LiveFrame], rgb: UInt8[ndarray, "H W 3"] | None) -> bytes:
        """Sound of some frames and the picture of the last of them; gaps between frames are silent."""
        for frame in frames:
            if self._first is None:
                self._first = frame.sample
            self._sound((frame.sample - self._first) * KEPT_RATE // SAMPLE_RATE, frame.sound)
        if rgb is not None and self._first is not None:
            self._picture((frames[-1].sample - self._first) * FPS // SAMPLE_RATE, rgb)
        return self._out.taken()

    def _sound(self, at: int, samples: Float32[ndarray, " n"]) -> None:
        samples = np.concatenate([np.zeros(max(0, at - self._n_sound), np.float32), samples])
        frame = av.AudioFrame.from_ndarray(np.clip(samples, -1, 1)[None].astype(np.float32), "fltp", "mono")
        frame.sample_rate = KEPT_RATE
        frame.pts, frame.time_base = self._n_sound, Fraction(1, KEPT_RATE)
        self._container.mux(self._audio.encode(frame))
        self._n_sound += len(samples)

    def _picture(self, at: int, rgb: UInt8[ndarray, "H W 3"]) -> None:
        picture = yuv_frame(rgb)
        picture.pts, picture.time_base = at, Fraction(1, FPS)
        packets = self._video.encode(picture)
        for packet in packets:
            packet.duration = 1  # a fragment is written before the next picture could tell it
        self._container.mux(packets)

    def close(self) -> bytes:
        """Free the encoders; the bytes that were still held back."""
        self._container.close()
        return self._out.taken()

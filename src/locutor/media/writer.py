"""Writing a video with its sound."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Protocol, runtime_checkable

import av
import numpy as np
from av.audio.stream import AudioStream
from av.packet import Packet
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc
from av.video.stream import VideoStream
from jaxtyping import Float32, UInt8
from numpy import ndarray

from locutor.core.clock import FPS, SAMPLE_RATE
from locutor.core.errors import OutputError
from locutor.core.files import atomic_path, output_error, refuse_existing
from locutor.media.colour import yuv_frame


@runtime_checkable
class Marking(Protocol):
    """What says of a video where it comes from (`provenance.mark.Mark`)."""

    @property
    def note(self) -> str:
        """One line for the container's comment, which survives copying to another container; empty for none."""
        ...

    def draw(self, rgb: UInt8[ndarray, "H W 3"]) -> UInt8[ndarray, "H W 3"]:
        """The frame as it is to be written."""
        ...

    def seal(self, path: Path) -> None:
        """Finish the file at `path`, in place, before it gets its name."""
        ...


class VideoWriter:
    """H.264 (yuv420p, BT.709) and AAC in an mp4 file, picture and sound interleaved.

    A context manager: the file appears under its name when the block ends well; on any error nothing is left.
    Write a frame and its `samples_per_frame` of sound in turn, so that memory stays constant.
    An odd size is padded to the next even one by repeating the last row or column.
    """

    def __init__(
        self,
        path: Path | str,
        width: int,
        height: int,
        sample_rate: int = SAMPLE_RATE,
        fps: int = FPS,
        crf: int = 18,
        preset: str = "veryfast",
        overwrite: bool = False,
        mark: Marking | None = None,
    ) -> None:
        """Prepare; nothing is written before the block is entered.

        Args:
            path: the file to write; its name should end in .mp4.
            width, height: size of the frames, px.
            sample_rate: rate of the sound that will be written, Hz.
            fps: frames per second.
            crf: x264's constant rate factor, 0 (lossless) to 51.
            preset: x264's speed preset.
            overwrite: whether a file of this name may be replaced.
            mark: drawn into the frames and put into the file; None where nothing synthetic is written.

        Raises:
            OutputError: the file exists and `overwrite` is False, or a size is not positive.
        """
        self.path = Path(path)
        if width <= 0 or height <= 0:
            raise OutputError(f"a video of {width} x {height} px cannot be written", "give a positive size")
        refuse_existing(self.path, overwrite)
        self.n_frames = 0
        self.n_samples = 0
        self._size = (height, width)
        self._sample_rate, self._fps = sample_rate, fps
        self._mark = mark
        self._options = {"crf": str(crf), "preset": preset}
        self._stack = ExitStack()

    def __enter__(self) -> VideoWriter:
        self._temporary = self._stack.enter_context(atomic_path(self.path))
        try:
            self._open(self._temporary)
        except BaseException as error:
            self._stack.__exit__(type(error), error, error.__traceback__)
            raise
        return self

    def _open(self, temporary: Path) -> None:
        self._container = av.open(str(temporary), "w", format="mp4", options={"movflags": "+faststart"})
        if self._mark is not None and self._mark.note:
            self._container.metadata["comment"] = self._mark.note
        height, width = self._size
        video: VideoStream = self._container.add_stream("libx264", rate=self._fps, options=self._options)
        video.width, video.height = width + width % 2, height + height % 2
        video.pix_fmt = "yuv420p"
        context = video.codec_context
        context.colorspace, context.color_range = Colorspace.ITU709, ColorRange.MPEG
        context.color_primaries, context.color_trc = ColorPrimaries.BT709, ColorTrc.BT709
        audio: AudioStream = self._container.add_stream("aac", rate=self._sample_rate, layout="mono")
        self._video, self._audio = video, audio

    def write_frame(self, rgb: UInt8[ndarray, "H W 3"]) -> None:
        """Append one sRGB frame of the size given at the start.

        Raises:
            OutputError: the frame has another size, or the disk is full.
        """
        if rgb.shape[:2] != self._size:
            raise OutputError(f"frame {self.n_frames} is {rgb.shape[1]} x {rgb.shape[0]} px", "keep one size")
        if self._mark is not None:
            rgb = self._mark.draw(rgb)
        picture = yuv_frame(rgb)
        picture.pts, picture.time_base = self.n_frames, Fraction(1, self._fps)
        self._mux(self._video.encode(picture))
        self.n_frames += 1

    def write_audio(self, samples: Float32[ndarray, " n"]) -> None:
        """Append mono sound in -1..1.

        Raises:
            OutputError: the disk is full.
        """
        if len(samples) == 0:
            return
        frame = av.AudioFrame.from_ndarray(np.clip(samples, -1, 1)[None].astype(np.float32), "fltp", "mono")
        frame.sample_rate = self._sample_rate
        frame.pts, frame.time_base = self.n_samples, Fraction(1, self._sample_rate)
        self._mux(self._audio.encode(frame))
        self.n_samples += len(samples)

    def _mux(self, packets: list[Packet]) -> None:
        try:
            self._container.mux(packets)
        except OSError as error:
            raise output_error(error, self.path) from error

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._finish()
            else:
                with suppress(OSError):
                    self._container.close()
        except BaseException as failure:
            self._stack.__exit__(type(failure), failure, failure.__traceback__)
            raise
        self._stack.__exit__(kind, error, traceback)

    def _finish(self) -> None:
        if self.n_frames == 0:
            raise OutputError(f"{self.path} would have no picture", "write at least one frame")
        try:
            self._mux(self._video.encode(None))
            if self.n_samples:
                self._mux(self._audio.encode(None))
        finally:
            try:
                self._container.close()
            except OSError as error:
                raise output_error(error, self.path) from error
        if self._mark is not None:
            self._mark.seal(self._temporary)

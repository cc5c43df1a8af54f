"""Opening a media file, with errors that say what is wrong with it."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import overload

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from locutor.core.errors import MediaError

# Formats that name other files, addresses or devices: a film that is really a list would have them read or fetched.
_POINTERS = {
    "alsa", "concat", "dash", "fbdev", "hls", "iec61883", "image2", "image2pipe", "imf", "jack", "kmsgrab", "lavfi",
    "pulse", "rtp", "rtsp", "sap", "sdp", "video4linux2,v4l2", "vobsub", "webm_dash_manifest", "x11grab", "xcbgrab",
}  # fmt: skip
_OPTIONS = {
    "protocol_whitelist": "file",
    "format_whitelist": ",".join(sorted(av.formats_available - _POINTERS)),
}
_STILLS = ("image2", "tty")  # FFmpeg takes pictures and even text files for short videos


class MediaWarning(UserWarning):
    """A file that can be used although a part of it is missing or damaged."""


def warn(message: str) -> None:
    """Tell of missing or damaged parts (`MediaWarning`)."""
    warnings.warn(message, MediaWarning, stacklevel=3)


@contextmanager
def open_media(path: Path) -> Iterator[InputContainer]:
    """Open any container that FFmpeg reads and that holds its own pictures and sound; nothing else is ever opened.

    Raises:
        MediaError: no such file, a folder, an empty file, or not a media file.
    """
    if path.is_dir():
        raise MediaError(f"{path} is a folder", "name a video or sound file")
    if not path.exists():
        raise MediaError(f"{path} does not exist", "check the name")
    if path.stat().st_size == 0:
        raise MediaError(f"{path} is empty (zero bytes)", "copy or download it again")
    try:
        container = av.open(f"file:{path}", metadata_errors="ignore", options=_OPTIONS)
    except PermissionError as error:
        raise MediaError(f"{path} may not be read", "check its permissions") from error
    except (av.FFmpegError, OSError) as error:
        raise MediaError(
            f"{path} is not a readable video or sound file ({error.strerror})",
            "if it was cut or is still being written, copy it again; else convert it to mp4 or wav",
        ) from error
    with container:
        name = container.format.name
        if name in _STILLS or name.endswith("_pipe"):
            raise MediaError(f"{path} is a picture or a text, not a video or sound", "name a video or sound file")
        yield container


@overload
def decode_readable(container: InputContainer, stream: VideoStream, path: Path) -> Iterator[VideoFrame]: ...
@overload
def decode_readable(container: InputContainer, stream: AudioStream, path: Path) -> Iterator[AudioFrame]: ...
def decode_readable(
    container: InputContainer, stream: VideoStream | AudioStream, path: Path
) -> Iterator[VideoFrame | AudioFrame]:
    """Frames of a track in order of time; damaged packets are left out and told at the end (`MediaWarning`)."""
    n_damaged = 0
    for packet in _readable_packets(container, stream):
        try:
            frames = packet.decode() if packet is not None else []
            n_damaged += packet is None
        except av.FFmpegError:
            n_damaged += 1
            continue
        for frame in frames:
            n_damaged += frame.is_corrupt
            yield frame
    if n_damaged:
        warn(f"{path}: {n_damaged} parts of the {stream.type} track are damaged; the readable ones are used")


def _readable_packets(container: InputContainer, stream: VideoStream | AudioStream) -> Iterator[Packet | None]:
    """Packets up to the end or the first break in the container, which is told by a None."""
    packets = container.demux(stream)
    while True:
        try:
            yield next(packets)
        except StopIteration:
            return
        except av.FFmpegError:
            yield None
            return

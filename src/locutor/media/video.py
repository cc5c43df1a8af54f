"""Reading video: any codec and frame rate in, upright RGB frames at the project's rate out."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.reformatter import Colorspace
from av.video.stream import VideoStream
from jaxtyping import UInt8
from numpy import ndarray

from locutor.core.clock import FPS
from locutor.core.errors import MediaError
from locutor.media.colour import EXACT
from locutor.media.opening import decode_readable, open_media, warn

_HD_HEIGHT = 720  # untagged video of at least this height is BT.709 by convention, smaller is BT.601
_TOLERANCE_S = 1e-3  # time stamps of some containers are rounded to the millisecond
_MAX_JUMP_S = 60.0  # a longer step between two pictures is a broken time stamp
_RATES = (1.0, 1000.0)  # frames per second; others are broken headers
_MAX_ASPECT = 4.0  # of a pixel
_MAX_PIXELS = 8192 * 8192  # more is a broken header, and would not fit into memory


@dataclass(frozen=True)
class VideoInfo:
    """What a video file says about itself.

    Attributes:
        width, height: size of the upright picture with square pixels, px.
        fps: average frame rate of the file, frames per second.
        duration_s: length of the picture track, s.
        rotation_deg: counter-clockwise turn that the file asks for (already applied to width and height).
        has_audio: whether there is a sound track.
    """

    width: int
    height: int
    fps: float
    duration_s: float
    rotation_deg: int
    has_audio: bool


def probe_video(path: Path | str) -> VideoInfo:
    """Read the properties of a video by decoding its first picture.

    Raises:
        MediaError: the file cannot be opened, has no picture track, or no picture can be decoded.
    """
    path = Path(path)
    with open_media(path) as container:
        stream = _video_stream(container, path)
        first = next(_decoded(container, stream, path), None)
        if first is None:
            raise _nothing_decodable(path)
        height, width = _upright(first[1], stream).shape[:2]
        return VideoInfo(
            width=width,
            height=height,
            fps=_rate(stream),
            duration_s=_declared_duration_s(container, stream) or 0.0,
            rotation_deg=first[1].rotation,
            has_audio=len(container.streams.audio) > 0,
        )


def iterate_frames(
    path: Path | str, fps: float = FPS, start_s: float = 0.0, end_s: float | None = None
) -> Iterator[UInt8[ndarray, "H W 3"]]:
    """Upright sRGB frames at a constant rate, in constant memory.

    Output frame i is the picture whose time stamp is nearest to `start_s + i / fps`, counted from the first
    picture of the file; a picture that stays is repeated. The last frame starts before `end_s` or the end of
    the last picture. The rotation flag and non-square pixels are applied.

    Warns:
        MediaWarning: parts could not be decoded or the file ends early; what is readable is given.

    Raises:
        MediaError: the file cannot be opened, has no picture track, or no picture can be decoded.
    """
    path = Path(path)
    with open_media(path) as container:
        stream = _video_stream(container, path)
        origin_s = _first_time_s(stream)
        if start_s > 1.0:  # decode from the key frame before the start; whole file if it has no index
            with contextlib.suppress(av.FFmpegError):
                container.seek(int((origin_s + start_s - 0.5) * av.time_base), backward=True)
        pictures = _decoded(container, stream, path)
        held = next(pictures, None)
        if held is None:
            raise _nothing_decodable(path)
        n_out, image = 0, None
        for time_s, picture in chain(pictures, [(float("inf"), held[1])]):
            is_end = time_s == float("inf")
            # `held` is the nearest picture up to half-way to the next one.
            until_s = held[0] + 1 / _rate(stream) - _TOLERANCE_S if is_end else (held[0] + time_s) / 2
            while origin_s + start_s + n_out / fps < until_s:
                if end_s is not None and start_s + n_out / fps >= end_s - _TOLERANCE_S:
                    return
                image = _upright(held[1], stream) if image is None else image
                yield image
                n_out += 1
            held, image = (time_s, picture), None


def _video_stream(container: InputContainer, path: Path) -> VideoStream:
    # A cover picture in a sound file is a video stream of one "attached picture".
    streams = [s for s in container.streams.video if not s.disposition & s.disposition.attached_pic]
    if not streams:
        raise MediaError(f"{path} has no picture track", "give a video file")
    streams[0].thread_type = "AUTO"
    return streams[0]


def _decoded(container: InputContainer, stream: VideoStream, path: Path) -> Iterator[tuple[float, VideoFrame]]:
    """Pictures with strictly increasing time stamps (s)."""
    first_s, step_s, last_s, shift_s, n_broken = _first_time_s(stream), 1 / _rate(stream), -np.inf, 0.0, 0
    for picture in decode_readable(container, stream, path):
        if picture.width * picture.height > _MAX_PIXELS:
            raise MediaError(
                f"{path} says that it is {picture.width} x {picture.height} px large", "convert it to 4K or less"
            )
        time_s = max(first_s, last_s + step_s) if picture.time is None else picture.time + shift_s
        if np.isfinite(last_s) and abs(time_s - last_s) > _MAX_JUMP_S:
            shift_s += last_s + step_s - time_s
            time_s = last_s + step_s
            n_broken += 1
        if time_s > last_s:
            last_s = time_s
            yield time_s, picture
    if n_broken:
        warn(f"{path}: {n_broken} time stamps jump by more than {_MAX_JUMP_S:.0f} s; the pictures follow each other")
    length_s, declared_s = last_s + step_s - first_s, _declared_duration_s(container, stream) or 0.0
    if not n_broken and 0 < length_s < declared_s - 0.5:
        warn(f"{path} ends after {length_s:.1f} s of {declared_s:.1f} s; what is readable is used")


def _upright(picture: VideoFrame, stream: VideoStream) -> UInt8[ndarray, "H W 3"]:
    aspect = float(stream.sample_aspect_ratio or 1.0)
    aspect = aspect if 1 / _MAX_ASPECT <= aspect <= _MAX_ASPECT else 1.0
    width = round(picture.width * aspect / 2) * 2 if abs(aspect - 1) > 0.01 else picture.width
    tagged = picture.colorspace not in (2, 0)  # 2: unspecified, 0: RGB
    default = Colorspace.ITU709 if picture.height >= _HD_HEIGHT else Colorspace.ITU601
    rgb = picture.to_ndarray(
        format="gbrp",  # comes as rgb; the same numbers as "rgb24", in half the time
        width=width,
        height=picture.height,
        src_colorspace=None if tagged else default,
        interpolation=EXACT,
    )
    return np.ascontiguousarray(np.rot90(rgb, round(picture.rotation / 90)))


def _rate(stream: VideoStream) -> float:
    rate = float(stream.average_rate or stream.guessed_rate or FPS)
    return rate if _RATES[0] <= rate <= _RATES[1] else float(FPS)


def _first_time_s(stream: VideoStream) -> float:
    if stream.start_time is None or stream.time_base is None:
        return 0.0
    return float(stream.start_time * stream.time_base)


def _declared_duration_s(container: InputContainer, stream: VideoStream) -> float | None:
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    return None if container.duration is None else container.duration / av.time_base


def _nothing_decodable(path: Path) -> MediaError:
    return MediaError(f"no picture of {path} can be decoded", "copy or download it again; it may be cut off")

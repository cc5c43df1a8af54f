"""Reading sound: any file or video track in, mono float32 at the project's rate out."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soxr
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer
from jaxtyping import Float32
from numpy import ndarray

from locutor.core.clock import SAMPLE_RATE
from locutor.core.errors import MediaError
from locutor.media.opening import decode_readable, open_media, warn

_GAP_S = 0.1  # a hole in the time stamps longer than this is filled with silence
_MAX_GAP_S = 600.0  # a longer one is a broken time stamp
_RATES = (4_000, 768_000)  # Hz; others are broken headers
_MOST_PLANES = 8  # beyond them PyAV (18.1) reads pointers that are none, and the process dies


def audio_duration(path: Path | str) -> float:
    """Length of the sound track in seconds, from the header where it says so, else by decoding.

    Raises:
        MediaError: as for `read_audio_chunks`.
    """
    path = Path(path)
    with open_media(path) as container:
        stream = _audio_stream(container, path)
        if stream.duration and stream.time_base:
            return float(stream.duration * stream.time_base)
    return sum(len(chunk) for chunk in read_audio_chunks(path)) / SAMPLE_RATE


def read_audio(path: Path | str, sample_rate: int = SAMPLE_RATE) -> Float32[ndarray, " n"]:
    """The whole sound track, mono, in -1..1. Same errors and warnings as `read_audio_chunks`."""
    return np.concatenate(list(read_audio_chunks(path, sample_rate)))


def read_audio_chunks(
    path: Path | str, sample_rate: int = SAMPLE_RATE, chunk_s: float = 1.0
) -> Iterator[Float32[ndarray, " n"]]:
    """Sound in chunks of `chunk_s` (the last may be shorter), mono, in -1..1, in constant memory.

    Channels are averaged. In a video file sample 0 is heard with the first picture: a sound track that begins
    later is preceded by silence, an earlier beginning is cut. Values that are not finite become 0.

    Warns:
        MediaWarning: parts could not be decoded, or values were not finite.

    Raises:
        MediaError: the file cannot be opened, has no sound track, or no sample can be decoded.
    """
    path = Path(path)
    n_chunk = max(1, round(chunk_s * sample_rate))
    waiting: list[ndarray] = []
    n_waiting, n_total = 0, 0
    with open_media(path) as container:
        stream = _audio_stream(container, path)
        for piece in _resampled(_timed_mono(container, stream, path), sample_rate):
            waiting.append(piece)
            n_waiting += len(piece)
            n_total += len(piece)
            if n_waiting >= n_chunk:
                joined = np.concatenate(waiting)
                n_ready = n_waiting - n_waiting % n_chunk
                yield from np.split(joined[:n_ready], range(n_chunk, n_ready, n_chunk))
                waiting, n_waiting = [joined[n_ready:]], n_waiting - n_ready
    if n_total == 0:
        raise MediaError(f"the sound of {path} has no samples", "check that the recording is not empty or cut off")
    if n_waiting:
        yield np.concatenate(waiting)


def _audio_stream(container: InputContainer, path: Path) -> AudioStream:
    if not container.streams.audio:
        raise MediaError(f"{path} has no sound track", "give a file with sound")
    return container.streams.audio[0]


def _resampled(pieces: Iterator[tuple[int, ndarray]], sample_rate: int) -> Iterator[Float32[ndarray, " n"]]:
    """(rate, mono samples) to one rate; a stream whose rate changes goes on without a break."""
    for rate, group in itertools.groupby(pieces, key=lambda piece: piece[0]):
        if rate == sample_rate:
            yield from (samples for _, samples in group)
            continue
        resampler = soxr.ResampleStream(rate, sample_rate, 1)
        yield from (resampler.resample_chunk(samples) for _, samples in group)
        yield resampler.resample_chunk(np.zeros(0, np.float32), last=True)


def _timed_mono(container: InputContainer, stream: AudioStream, path: Path) -> Iterator[tuple[int, ndarray]]:
    """(rate, mono samples) such that the time of the first sample is that of the first picture."""
    clock_s = _origin_s(container, stream)
    tolerance_s, n_not_finite = 0.0, 0  # the beginning is exact; later, small steps are jitter of time stamps
    for frame in decode_readable(container, stream, path):
        samples = _to_mono(frame)
        bad = ~np.isfinite(samples)
        if bad.any():
            n_not_finite += int(bad.sum())
            samples = np.where(bad, np.float32(0), samples)
        rate = frame.sample_rate
        if not _RATES[0] <= rate <= _RATES[1]:
            raise MediaError(f"{path} says that its sound has {rate} samples per second", "convert it to 48 kHz")
        time_s = clock_s if frame.time is None else frame.time
        if tolerance_s < time_s - clock_s < _MAX_GAP_S:
            n_missing = round((time_s - clock_s) * rate)
            yield from ((rate, np.zeros(min(rate, n_missing - i), np.float32)) for i in range(0, n_missing, rate))
            clock_s = time_s
        elif tolerance_s < clock_s - time_s < _MAX_GAP_S:  # before the first picture, or said twice
            samples = samples[round((clock_s - time_s) * rate) :]
        clock_s += len(samples) / rate
        if len(samples):
            tolerance_s = _GAP_S
        yield rate, samples
    if n_not_finite:
        warn(f"{path}: {n_not_finite} samples are not finite; 0 is used")


def _origin_s(container: InputContainer, stream: AudioStream) -> float:
    starts = [s for s in container.streams.video if not s.disposition & s.disposition.attached_pic]
    first = starts[0] if starts else stream
    if first.start_time is None or first.time_base is None:
        return 0.0
    return float(first.start_time * first.time_base)


def _to_mono(frame: AudioFrame) -> Float32[ndarray, " n"]:
    if frame.format.is_planar and frame.layout.nb_channels > _MOST_PLANES:
        (frame,) = AudioResampler(frame.format.packed, frame.layout, frame.sample_rate).resample(frame)
    samples: ndarray = frame.to_ndarray()
    if frame.format.is_packed:
        samples = samples.reshape(-1, frame.layout.nb_channels).T
    if samples.dtype == np.uint8:
        samples = (samples.astype(np.float32) - 128) / 128
    elif np.issubdtype(samples.dtype, np.integer):
        samples = samples / 2.0 ** (8 * samples.dtype.itemsize - 1)
    return samples.mean(axis=0, dtype=np.float64).astype(np.float32)

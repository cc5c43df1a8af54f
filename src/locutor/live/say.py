"""From sound to a video of the avatar speaking it: a stream from end to end, in constant memory."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from math import ceil
from pathlib import Path

import numpy as np
import soxr
from jaxtyping import Float32
from numpy import ndarray

from locutor.avatar.avatar import Avatar
from locutor.avatar.film import film
from locutor.avatar.marking import mark_of
from locutor.core.clock import FPS, SAMPLE_RATE, frames_for_samples
from locutor.core.errors import FormatError
from locutor.core.events import Event, Progress, Wrote
from locutor.core.motion import Motion
from locutor.drive.idle_model import IdleModel
from locutor.drive.speak import SpeechDriver
from locutor.drive.voice import VoiceModel
from locutor.live.curves import Curves
from locutor.live.override import overridden
from locutor.media.audio import audio_duration, read_audio_chunks
from locutor.media.writer import VideoWriter
from locutor.provenance.config import MARKED, MarkConfig
from locutor.speech.phonemes import Phoneme

CHUNK_S = 0.2
OUT_RATE = 48_000  # the sound in the video keeps its treble; the mouth is driven at 16 kHz

Chunks = Iterator[tuple[Float32[ndarray, " n"], Float32[ndarray, " m"]]]
Due = deque[tuple[int, Float32[ndarray, " m"]]]  # sound, and how many frames come before it


def say_file(
    avatar: Avatar,
    audio: Path,
    out: Path,
    seed: int = 0,
    overwrite: bool = False,
    marking: MarkConfig = MARKED,
    curves: Curves | None = None,
) -> Iterator[Event]:
    """Speak a sound file (or a film's sound) of any length, rate and channel count.

    Args:
        avatar: who speaks.
        audio: what is heard.
        out: the video to write.
        seed: of head movement and blinks.
        overwrite: replace a file that exists.
        marking: how the video says that it is synthetic.
        curves: what takes the place of the driver's motion (`live.override`).

    Raises:
        MarkError: it cannot be signed.
        MediaError: the sound cannot be read.
        FormatError: the avatar has no voice model.
        OutputError: `out` exists or cannot be written.
    """
    empty = np.zeros(0, np.float32)
    chunks = zip_longest(
        read_audio_chunks(audio, SAMPLE_RATE, CHUNK_S), read_audio_chunks(audio, OUT_RATE, CHUNK_S), fillvalue=empty
    )
    return _say(avatar, chunks, audio_duration(audio), out, seed, overwrite, marking, curves)


def say_samples(
    avatar: Avatar,
    samples: Float32[ndarray, " n"],
    sample_rate: int,
    out: Path,
    seed: int = 0,
    overwrite: bool = False,
    marking: MarkConfig = MARKED,
    curves: Curves | None = None,
    phonemes: Sequence[Phoneme] = (),
) -> Iterator[Event]:
    """Speak sound that is in memory, by its phonemes where a synthesiser told them; errors as in `say_file`.

    Raises:
        SpeechError: a phoneme is in no class of sounds.
    """
    n_chunks = max(1, round(len(samples) / sample_rate / CHUNK_S))
    heard = np.array_split(soxr.resample(samples, sample_rate, SAMPLE_RATE), n_chunks)
    kept = np.array_split(soxr.resample(samples, sample_rate, OUT_RATE), n_chunks)
    duration_s = len(samples) / sample_rate
    return _say(avatar, zip(heard, kept, strict=True), duration_s, out, seed, overwrite, marking, curves, phonemes)


def _say(
    avatar: Avatar,
    chunks: Chunks,
    duration_s: float,
    out: Path,
    seed: int,
    overwrite: bool,
    marking: MarkConfig,
    curves: Curves | None,
    phonemes: Sequence[Phoneme] = (),
) -> Iterator[Event]:
    driver = speech_driver(avatar)
    n_expected = max(1, round(duration_s * FPS))
    started = time.monotonic()
    due: Due = deque()
    width, height = avatar.camera.width, avatar.camera.height
    mark = mark_of(avatar, marking)
    with VideoWriter(out, width, height, OUT_RATE, overwrite=overwrite, mark=mark) as writer:
        if phonemes:
            motions = _told(driver.said(phonemes, duration_s, ceil(duration_s * FPS), seed), chunks, due)
        else:
            motions = _driven(driver, chunks, seed, due)
        if curves is not None:
            motions = overridden(motions, curves, avatar.idle["mean_wxyz"][0], avatar.voice["closed_mouth"])
        for picture in film(avatar, motions):
            writer.write_frame(picture)
            while due and due[0][0] <= writer.n_frames:
                writer.write_audio(due.popleft()[1])
                elapsed_s = time.monotonic() - started
                note = f"{writer.n_frames / max(elapsed_s, 1e-6):.0f} frames/s"
                yield Progress("speaking", min(writer.n_frames, n_expected), n_expected, elapsed_s, note)
    yield Progress("speaking", n_expected, n_expected, time.monotonic() - started)
    yield Wrote(out, "video")


def speech_driver(avatar: Avatar) -> SpeechDriver:
    """What makes motion of sound for this avatar.

    Raises:
        FormatError: it has no voice model, or one whose parts do not fit together.
    """
    if not avatar.voice:
        raise FormatError(
            "this avatar has no voice model: its footage had no sound", "train it on a film with the person's voice"
        )
    try:
        return SpeechDriver(VoiceModel.from_tensors(dict(avatar.voice)), IdleModel.from_tensors(dict(avatar.idle)))
    except (ValueError, TypeError, IndexError, ArithmeticError) as error:
        raise FormatError(f"the voice or idle model of this avatar is damaged ({error})", "train it again") from error


def _driven(driver: SpeechDriver, chunks: Chunks, seed: int, due: Due) -> Iterator[Motion]:
    """Motion as the sound comes in; what is to be heard is put down in `due` beside the frames it follows."""
    state, n_frames = driver.init(seed), 0
    for heard, kept in chunks:
        state, motion = driver.step(state, heard)
        n_frames += len(motion)
        due.append((n_frames, kept))
        yield motion
    yield driver.finish(state)


def _told(motion: Motion, chunks: Chunks, due: Due) -> Iterator[Motion]:
    """A motion that is known beforehand, in step with the sound."""
    n_samples = n_frames = 0
    for heard, kept in chunks:
        n_samples += len(heard)
        end = min(len(motion), frames_for_samples(n_samples))
        due.append((end, kept))
        yield motion[n_frames:end]
        n_frames = end
    yield motion[n_frames:]

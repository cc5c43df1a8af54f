"""A performance without its frames: the film, the tracking and the mattes, small enough to ship.

    video.mp4  meta.json  tracking.npz  mattes.images  plate.png

Frames and sound come out of the film again, so no model file is needed.
"""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import soundfile

from locutor.capture.image_store import ImageStore, ImageStoreWriter
from locutor.capture.performance import (
    BACKGROUNDS,
    FRAMES,
    MATTES,
    META,
    PLATE,
    SOUND,
    TRACKING,
    Performance,
    PerformanceMeta,
)
from locutor.capture.sound import cut_sound
from locutor.core.clock import FPS, SAMPLE_RATE
from locutor.core.errors import FormatError
from locutor.core.events import Event, Progress, Wrote
from locutor.core.files import atomic_path, refuse_existing_folder
from locutor.media.video import iterate_frames

VIDEO = "video.mp4"
CARRIED = (META, TRACKING, MATTES, PLATE)


def pack_performance(performance: Performance, film: Path, out: Path) -> None:
    """Write the packed form of a performance of `film`.

    Raises:
        OutputError: `out` exists or cannot be written.
    """
    refuse_existing_folder(out)
    with atomic_path(out) as folder:
        folder.mkdir()
        for name in CARRIED:
            shutil.copyfile(performance.folder / name, folder / name)
        if not performance.background_is_still:
            shutil.copyfile(performance.folder / BACKGROUNDS, folder / BACKGROUNDS)
        shutil.copyfile(film, folder / VIDEO)


def unpack_performance(packed: Path, out: Path) -> Iterator[Event]:
    """Make a performance folder of a packed one.

    Raises:
        OutputError: `out` exists or cannot be written.
        FormatError, MediaError: the packed form is not whole, or the film cannot be read.
    """
    refuse_existing_folder(out)
    meta = PerformanceMeta.load(packed / META)
    started = time.monotonic()
    with atomic_path(out) as folder:
        folder.mkdir()
        for name in CARRIED:
            shutil.copyfile(packed / name, folder / name)
        if (packed / BACKGROUNDS).is_file():
            shutil.copyfile(packed / BACKGROUNDS, folder / BACKGROUNDS)
        with ImageStoreWriter(folder / FRAMES, lossless=False) as writer:
            for k, rgb in enumerate(iterate_frames(packed / VIDEO, start_s=meta.start_s)):
                if k == meta.n_frames:
                    break
                writer.append(meta.framing.cut(rgb))
                if k % 100 == 0:
                    yield Progress("unpacking the footage", k, meta.n_frames, time.monotonic() - started)
        n_frames = len(ImageStore(folder / FRAMES))
        if n_frames < meta.n_frames:
            raise FormatError(
                f"{packed / VIDEO} has {n_frames} frames, its tracking {meta.n_frames}",
                "pack the film that was captured",
            )
        if meta.has_sound:
            late_s = meta.sound_offset_frames / FPS
            soundfile.write(
                folder / SOUND, cut_sound(packed / VIDEO, meta.start_s + late_s, meta.n_frames), SAMPLE_RATE
            )
        yield Progress("unpacking the footage", meta.n_frames, meta.n_frames, time.monotonic() - started)
    yield Wrote(out, "performance")

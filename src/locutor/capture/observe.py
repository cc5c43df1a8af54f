"""The pass over the film: every frame is cut, the face and the person in it are found, all is stored.

Frames are independent, so two threads share the work; what is finished lies in append-only files, and a killed
run goes on with the frame after the last whole one.
"""

from __future__ import annotations

import gc
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from queue import SimpleQueue
from typing import BinaryIO

import cv2
import numpy as np
from jaxtyping import Bool, Float32, UInt8
from numpy import ndarray

from locutor.capture.config import CaptureConfig
from locutor.capture.detect import N_BLENDSHAPES, N_LANDMARKS, Face, FaceLandmarker, PersonMatte, face_height_px
from locutor.capture.framing import Framing
from locutor.capture.image_store import ImageStoreWriter, part_of
from locutor.capture.look import face_look
from locutor.capture.performance import FRAMES, MATTES
from locutor.capture.search import second_share
from locutor.core.clock import FPS
from locutor.core.events import Event, Progress
from locutor.core.files import output_error
from locutor.media.video import VideoInfo, iterate_frames

ROWS = "observed.rows"
N_THREADS = 2
THUMB = 24  # px, for cuts and stills
_AHEAD = 4  # frames in work; more only cost memory

# One frame as it lies in the file.
ROW = np.dtype(
    [
        ("frame_end", "<u8"),
        ("matte_end", "<u8"),
        ("found", "?"),
        ("repeated", "?"),
        ("second", "<f4"),
        ("look", "<f4", (4,)),
        ("thumb", "u1", (THUMB, THUMB)),
        ("landmarks", "<f4", (N_LANDMARKS, 3)),
        ("blendshapes", "<f4", (N_BLENDSHAPES,)),
    ]
)


@dataclass(frozen=True)
class Observations:
    """What was seen in every frame.

    Attributes:
        rows: records of `ROW`: `found` (a face), `repeated` (the film shows the frame before again), `second`
            (height of the second face in heights of the first), `look` (`look.face_look` of the face), `thumb`
            (the frame in grey, small), landmarks px, blendshapes; zeros where no face was found.
    """

    rows: ndarray

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def observed(self) -> Bool[ndarray, " T"]:
        """Whether a face was found."""
        return np.array(self.rows["found"])

    @cached_property
    def landmarks(self) -> Float32[ndarray, "T 478 3"]:
        """px; frames without a face are filled in from their neighbours in time."""
        return filled(np.array(self.rows["landmarks"]), self.observed)

    @cached_property
    def blendshapes(self) -> Float32[ndarray, "T 52"]:
        """As the network gives them; filled in as the landmarks are."""
        return filled(np.array(self.rows["blendshapes"]), self.observed)


def observe(film: Path, info: VideoInfo, framing: Framing, config: CaptureConfig, folder: Path) -> Iterator[Event]:
    """Make `FRAMES`, `MATTES` and `ROWS` in the folder, going on with what lies there.

    Raises:
        MediaError: the film cannot be read.
        OutputError: the disk is full.
    """
    if (folder / FRAMES).is_file() and (folder / MATTES).is_file():
        return
    earlier = _whole_rows(folder)
    expected = max(1, round(((config.end_s or info.duration_s) - config.start_s) * FPS))
    started = time.monotonic()
    with ExitStack() as stack:
        # The landmarker's thousands of small objects per frame would have the collector walk the whole program.
        gc.freeze()
        stack.callback(gc.unfreeze)
        rows = stack.enter_context((folder / ROWS).open("r+b" if len(earlier) else "wb"))
        rows.truncate(len(earlier) * ROW.itemsize)
        rows.seek(0, 2)
        frames = ImageStoreWriter(folder / FRAMES, False, earlier["frame_end"].tolist())
        mattes = ImageStoreWriter(folder / MATTES, True, earlier["matte_end"].tolist())
        stack.callback(frames.suspend)
        stack.callback(mattes.suspend)
        watcher = stack.enter_context(_Watcher(framing, frames, mattes))
        store = _Store(frames, mattes, rows, earlier)
        k = len(earlier)
        for seen in watcher.watch(iterate_frames(film, start_s=config.start_s + k / FPS, end_s=config.end_s)):
            store.add(seen)
            k += 1
            if k % FPS == 0:
                store.flush()
                yield Progress("finding the face", k, max(expected, k), time.monotonic() - started)
        store.flush()
        frames.close()
        mattes.close()
    yield Progress("finding the face", k, k, time.monotonic() - started)


def load_observations(folder: Path) -> Observations:
    """What `observe` found."""
    return Observations(np.fromfile(folder / ROWS, ROW))


def _whole_rows(folder: Path) -> ndarray:
    """Rows whose pictures are on the disk too."""
    paths = (part_of(folder / FRAMES), part_of(folder / MATTES), folder / ROWS)
    if not all(path.is_file() for path in paths):
        for name in (FRAMES, MATTES):  # the process ended between closing the two: begin anew
            (folder / name).unlink(missing_ok=True)
        return np.zeros(0, ROW)
    rows = np.fromfile(folder / ROWS, ROW)
    whole = (rows["frame_end"] <= paths[0].stat().st_size) & (rows["matte_end"] <= paths[1].stat().st_size)
    return rows[: len(rows) if whole.all() else int(whole.argmin())]


@dataclass(frozen=True)
class _Seen:
    """One frame, looked at."""

    frame: bytes
    matte: bytes
    faces: list[Face]
    looks: list[tuple[float, float, float, float]]
    thumb: UInt8[ndarray, "h w"]
    repeated: bool


class _Watcher:
    """Looks at frames in a few threads, each with its own models."""

    def __init__(self, framing: Framing, frames: ImageStoreWriter, mattes: ImageStoreWriter) -> None:
        self._framing, self._frames, self._mattes = framing, frames, mattes
        self._models: SimpleQueue[tuple[FaceLandmarker, PersonMatte]] = SimpleQueue()
        self._stack = ExitStack()

    def __enter__(self) -> _Watcher:
        for _ in range(N_THREADS):
            self._models.put((self._stack.enter_context(FaceLandmarker()), self._stack.enter_context(PersonMatte())))
        self._pool = self._stack.enter_context(ThreadPoolExecutor(N_THREADS))
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def watch(self, film_frames: Iterator[UInt8[ndarray, "H W 3"]]) -> Iterator[_Seen]:
        """The frames in order; one that is shown again is not looked at again."""
        waiting: deque[tuple[Future[_Seen], bool]] = deque()
        previous = None
        try:
            for rgb in film_frames:
                same = rgb is previous
                waiting.append((waiting[-1][0] if same and waiting else self._pool.submit(self._look, rgb), same))
                previous = rgb
                while len(waiting) > _AHEAD:
                    yield _finished(*waiting.popleft())
            while waiting:
                yield _finished(*waiting.popleft())
        finally:
            for future, _ in waiting:
                future.cancel()

    def _look(self, film_frame: UInt8[ndarray, "H W 3"]) -> _Seen:
        rgb = self._framing.cut(film_frame)
        models = self._models.get()
        try:
            faces = models[0].detect(rgb)
            matte = models[1].matte(rgb)
        finally:
            self._models.put(models)
        grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
        return _Seen(
            self._frames.encode(rgb),
            self._mattes.encode(matte),
            faces,
            [face_look(grey, face.landmarks) for face in faces],
            cv2.resize(grey, (THUMB, THUMB), interpolation=cv2.INTER_AREA),
            False,
        )


def _finished(future: Future[_Seen], repeated: bool) -> _Seen:
    seen = future.result()
    return _Seen(seen.frame, seen.matte, seen.faces, seen.looks, seen.thumb, repeated)


class _Store:
    """Appends frames to the three files, pictures before the row that tells of them."""

    def __init__(self, frames: ImageStoreWriter, mattes: ImageStoreWriter, rows: BinaryIO, earlier: ndarray) -> None:
        self._frames, self._mattes, self._rows = frames, mattes, rows
        self._waiting: list[bytes] = []
        found = earlier[earlier["found"]]
        self._where = found[-1]["landmarks"][:, :2].mean(0) if len(found) else None

    def add(self, seen: _Seen) -> None:
        self._frames.append_encoded(seen.frame)
        self._mattes.append_encoded(seen.matte)
        row = np.zeros(1, ROW)
        row["frame_end"], row["matte_end"] = self._frames.end, self._mattes.end
        row["repeated"], row["thumb"], row["second"] = seen.repeated, seen.thumb, second_share(seen.faces)
        if seen.faces:
            which = min(range(len(seen.faces)), key=lambda i: self._distance(seen.faces[i]))
            face = seen.faces[which]
            row["found"], row["landmarks"], row["blendshapes"] = True, face.landmarks, face.blendshapes
            row["look"] = seen.looks[which]
            self._where = face.landmarks[:, :2].mean(0)
        self._waiting.append(row.tobytes())

    def flush(self) -> None:
        self._frames.flush()
        self._mattes.flush()
        try:
            self._rows.write(b"".join(self._waiting))
            self._rows.flush()
        except OSError as error:
            raise output_error(error, Path(self._rows.name)) from error
        self._waiting = []

    def _distance(self, face: Face) -> float:
        """How far a face is from where the person was last; the largest face at first."""
        if self._where is None:
            return -face_height_px(face.landmarks)
        return float(np.linalg.norm(face.landmarks[:, :2].mean(0) - self._where))


def filled(values: Float32[ndarray, " T *rest"], observed: Bool[ndarray, " T"]) -> Float32[ndarray, " T *rest"]:
    """Interpolate the frames that were not observed in time."""
    if observed.all():
        return values
    known = np.flatnonzero(observed)
    flat = values.reshape(len(values), -1).copy()
    missing = np.flatnonzero(~observed)
    right = np.clip(np.searchsorted(known, missing), 0, len(known) - 1)
    left = np.clip(right - 1, 0, len(known) - 1)
    a, b = known[left], known[right]
    share = np.clip((missing - a) / np.maximum(b - a, 1), 0, 1)[:, None].astype(np.float32)
    flat[missing] = (1 - share) * flat[a] + share * flat[b]
    return flat.reshape(values.shape)

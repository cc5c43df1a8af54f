"""`Performance`: what capture makes of a video, and what training and evaluation read."""

from __future__ import annotations

import dataclasses
import json
import zipfile
import zlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import Float32, Int, UInt8
from numpy import ndarray

from locutor.capture.framing import Framing
from locutor.capture.image_store import ImageStore
from locutor.capture.plate import KEY_FRAMES
from locutor.core.archive import load_arrays
from locutor.core.camera import Camera
from locutor.core.errors import ConsentError, FormatError
from locutor.core.motion import Motion
from locutor.core.text import one_line
from locutor.media.audio import read_audio
from locutor.media.pictures import decode_rgb
from locutor.provenance.consent import Consent

VERSION = 1
SUBPIXEL = 16  # landmarks are stored as int16 steps from frame to frame in 1/16 px, a fifth of their own noise
LARGEST_SIDE = 8192  # px, of a frame or of the part that is cut out of the film
LARGEST_N_FRAMES = 10_000_000  # four days; more is a damaged file
HELD_OUT = 11  # the last 1/11 of a clip is never trained on

# What numpy, zipfile and zlib raise on damaged bytes.
_DAMAGE = (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError, KeyError, ValueError, TypeError,
           IndexError, OverflowError, MemoryError, SyntaxError, RuntimeError, RecursionError)  # fmt: skip

META, TRACKING = "meta.json", "tracking.npz"
FRAMES, MATTES, PLATE, SOUND = "frames.images", "mattes.images", "plate.png", "sound.flac"
BACKGROUNDS = "backgrounds.images"


@dataclass(frozen=True)
class TrackQuality:
    """How steady the tracks are.

    Attributes:
        residual_flow_px: RMS flow on the head that the pose does not explain, on points the fit did not see.
        residual_flow_landmarks_px: the same by landmarks alone.
        torso_inlier_share: mean share of the torso's features that agree with its track.
        torso_lost_share: share of the frames in which the torso was lost.
    """

    residual_flow_px: float
    residual_flow_landmarks_px: float
    torso_inlier_share: float
    torso_lost_share: float


@dataclass(frozen=True)
class Tracking:
    """Everything that was measured in the frames.

    Attributes:
        landmarks: MediaPipe's points, px of the frame; z in px too.
        motion: the tracked motion.
        neutral: all landmarks of the person's neutral, head frame, inter-ocular units.
        reference_wxyz, reference_xyz: the reference head pose, where the torso frame is the head frame.
        reference_frame: the frame nearest to that pose.
    """

    landmarks: Float32[ndarray, "T 478 3"]
    motion: Motion
    neutral: Float32[ndarray, "478 3"]
    reference_wxyz: Float32[ndarray, " 4"]
    reference_xyz: Float32[ndarray, " 3"]
    reference_frame: int

    def save(self, path: Path) -> None:
        """Write as a compressed npz."""
        arrays: dict[str, Any] = {f"motion_{name}": array for name, array in self.motion.channels().items()}
        arrays |= {
            "landmark_steps": _steps_in_subpixels(self.landmarks),
            "neutral": self.neutral,
            "reference_wxyz": self.reference_wxyz,
            "reference_xyz": self.reference_xyz,
            "reference_frame": np.int64(self.reference_frame),
        }
        np.savez_compressed(path, **arrays)

    @staticmethod
    def load(path: Path) -> Tracking:
        """Read what `save` wrote.

        Raises:
            FormatError: the file is damaged, or of an older version.
        """
        try:
            data = load_arrays(path)
            channels = {k.removeprefix("motion_"): v for k, v in data.items() if k.startswith("motion_")}
            tracking = Tracking(
                np.cumsum(data["landmark_steps"], axis=0, dtype=np.int32).astype(np.float32) / SUBPIXEL,
                Motion(**channels),
                data["neutral"],
                data["reference_wxyz"],
                data["reference_xyz"],
                int(data["reference_frame"]),
            )
            tracking._check()
            return tracking
        except _DAMAGE as error:
            raise FormatError(
                f"{path} is damaged or of another version ({one_line(error)})", "run `locutor capture` again"
            ) from error

    def _check(self) -> None:
        n = len(self.landmarks)
        shapes = {"landmarks": (n, 478, 3), "neutral": (478, 3), "reference_wxyz": (4,), "reference_xyz": (3,)}
        for name, shape in shapes.items():
            array = getattr(self, name)
            if array.shape != shape or array.dtype.kind != "f" or not np.isfinite(array).all():
                raise ValueError(f"{name} is of another shape or kind, or not finite")
        if len(self.motion) != n or not 0 <= self.reference_frame < n:
            raise ValueError("motion, landmarks and reference frame do not belong together")


def _steps_in_subpixels(landmarks: Float32[ndarray, "T 478 3"]) -> Int[ndarray, "T 478 3"]:
    """Differences in time, in 16 bits where they fit (frames up to 2,000 px)."""
    steps = np.diff(np.round(landmarks * SUBPIXEL).astype(np.int32), axis=0, prepend=np.int32(0))
    fits = np.abs(steps).max(initial=0) <= np.iinfo(np.int16).max
    return steps.astype(np.int16) if fits else steps


@dataclass(frozen=True)
class PerformanceMeta:
    """The small facts of a performance.

    Attributes:
        version: of the folder's format.
        source: name of the film, without its folder.
        n_frames: at 25 frames per second.
        framing: the square cut out of the film.
        camera: of the cut frames.
        quality: of the tracks.
        has_sound: whether the film had a sound track.
        start_s: where in the film the first frame was taken.
        sound_offset_frames: by how many frames the film's sound was late; `sound` is moved by that much.
        consent: what the person agreed to; None when nothing is on record.
        synthetic: the film says, by a mark that holds, that its person was made by a program.
    """

    version: int
    source: str
    n_frames: int
    framing: Framing
    camera: Camera
    quality: TrackQuality
    has_sound: bool
    start_s: float = 0.0
    sound_offset_frames: float = 0.0
    consent: Consent | None = None
    synthetic: bool = False

    def save(self, path: Path) -> None:
        """Write as JSON."""
        record = dataclasses.asdict(self) | {"consent": self.consent.as_record() if self.consent else None}
        path.write_text(json.dumps(record, indent=1) + "\n")

    @staticmethod
    def load(path: Path) -> PerformanceMeta:
        """Read what `save` wrote.

        Raises:
            FormatError: the file is missing, damaged, or of another version of the format.
        """
        again = "run `locutor capture` on the film again"
        if not path.is_file():
            raise FormatError(f"{path} is missing", again)
        try:
            record: dict[str, Any] = json.loads(path.read_text())
            if record.get("version") != VERSION:
                raise FormatError(
                    f"{path} has format version {record.get('version')}, this program reads {VERSION}", again
                )
            record["framing"] = Framing(**record["framing"])
            record["camera"] = Camera(**record["camera"])
            record["quality"] = TrackQuality(**record["quality"])
            consent = record.get("consent")
            record["consent"] = None if consent is None else Consent.from_record(consent, str(path))
            meta = PerformanceMeta(**record)
            _check(meta)
            return meta
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError, OSError) as error:
            raise FormatError(f"{path} is damaged ({one_line(error)})", again) from error
        except ConsentError as error:
            raise FormatError(f"{path} is damaged: {error.what}", again) from error


def _check(meta: PerformanceMeta) -> None:
    """Numbers that would ask for absurd amounts of memory or time."""
    sizes = (meta.camera.width, meta.camera.height, meta.framing.size, meta.framing.side)
    if any(type(size) is not int or not 0 < size <= LARGEST_SIDE for size in sizes):
        raise ValueError(f"pictures of {sizes} px")
    if type(meta.n_frames) is not int or not 0 < meta.n_frames <= LARGEST_N_FRAMES:
        raise ValueError(f"{meta.n_frames} frames")
    if type(meta.framing.left) is not int or type(meta.framing.top) is not int:
        raise ValueError("the framing is not in whole pixels")
    if type(meta.synthetic) is not bool:
        raise ValueError(f"synthetic is {meta.synthetic!r}")
    for number in (meta.start_s, meta.sound_offset_frames, *vars(meta.camera).values(), *vars(meta.quality).values()):
        if type(number) not in (int, float) or not np.isfinite(number):
            raise ValueError(f"{number!r} is not a number")


class Performance:
    """A captured clip in a folder. Frames and mattes are read when asked for.

    Raises:
        FormatError: the folder is not a performance, or of another version.
    """

    def __init__(self, folder: Path) -> None:
        missing = [name for name in (META, TRACKING, FRAMES, MATTES, PLATE) if not (folder / name).is_file()]
        if missing:
            raise FormatError(
                f"{folder} is not a performance folder ({missing[0]} is missing)",
                "make one: locutor capture VIDEO -o DIR",
            )
        self.folder = folder
        self.meta = PerformanceMeta.load(folder / META)
        self.tracking = Tracking.load(folder / TRACKING)
        self.frames = ImageStore(folder / FRAMES)
        self._mattes = ImageStore(folder / MATTES)

    def __len__(self) -> int:
        return self.meta.n_frames

    @property
    def camera(self) -> Camera:
        """The camera of the frames."""
        return self.meta.camera

    @property
    def n_train(self) -> int:
        """Number of leading frames that may be trained on; the rest is held out."""
        return len(self) * (HELD_OUT - 1) // HELD_OUT

    @cached_property
    def plate(self) -> UInt8[ndarray, "H W 3"]:
        """The background without the person."""
        return decode_rgb((self.folder / PLATE).read_bytes())

    @cached_property
    def background_is_still(self) -> bool:
        """Whether `plate` is the background of every frame."""
        return not (self.folder / BACKGROUNDS).is_file()

    def background(self, k: int) -> UInt8[ndarray, "H W 3"]:
        """What is behind the person in frame k: the plate, or a blend in time where the background changes."""
        if self.background_is_still:
            return self.plate
        key, share = k // KEY_FRAMES, k % KEY_FRAMES / KEY_FRAMES
        store = ImageStore(self.folder / BACKGROUNDS)
        return cv2.addWeighted(store.rgb(key), 1 - share, store.rgb(min(key + 1, len(store) - 1)), share, 0)

    @cached_property
    def sound(self) -> Float32[ndarray, " n"]:
        """Mono sound at 16 kHz that starts with frame 0; empty when the film has none."""
        return read_audio(self.folder / SOUND) if self.meta.has_sound else np.zeros(0, np.float32)

    def matte(self, k: int) -> UInt8[ndarray, "H W"]:
        """Person matte of frame k, 0..255."""
        return upscale_matte(self._mattes.grey(k), self.camera.width)


def upscale_matte(small: UInt8[ndarray, "h w"], size: int) -> UInt8[ndarray, "size size"]:
    """The matte at the size of the frames."""
    return cv2.resize(small, (size, size), interpolation=cv2.INTER_LINEAR)

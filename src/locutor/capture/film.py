"""From a film to a `Performance`, in one pass over the film and two over the cut frames."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import soundfile
from jaxtyping import Bool, Float32, UInt8
from numpy import ndarray

from locutor.capture.config import CaptureConfig
from locutor.capture.detect import Face, FaceLandmarker, PersonMatte, face_height_px
from locutor.capture.framing import Framing, frame_head
from locutor.capture.head import HeadTrack, track_head
from locutor.capture.image_store import ImageStore, ImageStoreWriter
from locutor.capture.performance import (
    FRAMES,
    HELD_OUT,
    MATTES,
    META,
    PLATE,
    SOUND,
    TRACKING,
    VERSION,
    PerformanceMeta,
    Tracking,
    TrackQuality,
    upscale_matte,
)
from locutor.capture.plate import EVERY, background_plate
from locutor.capture.sound import cut_sound
from locutor.capture.stabilise import face_displacements, landmarks_in_head
from locutor.capture.torso import TorsoTrack, torso_poses, track_torso
from locutor.capture.track import RigidTrack
from locutor.core.camera import Camera
from locutor.core.clock import FPS, SAMPLE_RATE
from locutor.core.errors import FootageError
from locutor.core.events import Event, Progress, Warned, Wrote
from locutor.core.files import atomic_path, refuse_existing_folder
from locutor.core.motion import Motion
from locutor.geometry.rotation import mean_rotation, same_hemisphere, wxyz_from_matrix
from locutor.media.pictures import encode_png
from locutor.media.video import VideoInfo, iterate_frames, probe_video

N_SAMPLE_FRAMES = 16
FOCAL_PER_SIZE = 2.34  # about 24 degrees: a face filmed from a metre or two; not observable from the clip
MIN_FRAMES = 50
MAX_MISSING_SHARE = 0.2
SECOND_FACE = 0.6  # a second face this large beside the first makes the film ambiguous


def capture_film(film: Path, out: Path, config: CaptureConfig) -> Iterator[Event]:
    """Capture a film into a performance folder; yields events, the last one is `Wrote`.

    Raises:
        MediaError: the film cannot be read.
        FootageError: no face, two faces, a face that is too small, or a clip that is too short.
        ModelFileError, MissingPartError: what tracking needs is not there.
        OutputError: `out` exists already or cannot be written.
    """
    refuse_existing_folder(out)
    info = probe_video(film)
    with atomic_path(out) as folder:
        folder.mkdir()
        with FaceLandmarker() as landmarker, PersonMatte() as matte:
            framing = _choose_framing(film, info, landmarker, config)
            seen = _Observations([], [], [])
            yield from _observe(film, info, framing, landmarker, matte, config, folder, seen)
        yield from _check_coverage(film, seen.observed)
        has_sound = yield from _extract_sound(film, info, config, folder, len(seen.landmarks))
        started = time.monotonic()
        yield Progress("solving the head pose", 0, 2, 0.0)
        camera = Camera(framing.size, framing.size, FOCAL_PER_SIZE * framing.size, framing.size / 2, framing.size / 2)
        frames = ImageStore(folder / FRAMES)
        landmarks = _filled(np.stack(seen.landmarks), seen.observed)
        head = track_head(landmarks, seen.observed, camera, frames.all_grey)
        yield Progress("solving the head pose", 1, 2, time.monotonic() - started, "torso")
        mattes = ImageStore(folder / MATTES)
        tracking, torso = _assemble(landmarks, seen, head.rigid, camera, frames, mattes)
        tracking.save(folder / TRACKING)
        n_train = len(frames) * (HELD_OUT - 1) // HELD_OUT
        plate = background_plate(
            (frames.rgb(k), upscale_matte(mattes.grey(k), framing.size)) for k in range(0, n_train, EVERY)
        )
        (folder / PLATE).write_bytes(encode_png(plate))
        quality = _quality(head, torso)
        meta = PerformanceMeta(VERSION, film.name, len(frames), framing, camera, quality, has_sound, config.start_s)
        meta.save(folder / META)
        yield Progress("solving the head pose", 2, 2, time.monotonic() - started, _quality_note(meta.quality))
    yield Wrote(out, "performance")


@dataclass
class _Observations:
    landmarks: list[Float32[ndarray, "478 3"]]
    blendshapes: list[Float32[ndarray, " 52"]]
    found: list[bool]

    @property
    def observed(self) -> Bool[ndarray, " T"]:
        return np.array(self.found, bool)


def _frames(film: Path, config: CaptureConfig, fps: float = float(FPS)) -> Iterator[UInt8[ndarray, "H W 3"]]:
    return iterate_frames(film, fps=fps, start_s=config.start_s, end_s=config.end_s)


def _choose_framing(film: Path, info: VideoInfo, landmarker: FaceLandmarker, config: CaptureConfig) -> Framing:
    length_s = (config.end_s or info.duration_s or 10.0) - config.start_s
    sample = [landmarker.detect(rgb) for rgb in _frames(film, config, fps=N_SAMPLE_FRAMES / max(length_s, 0.1))]
    with_face = [faces for faces in sample if faces]
    if not with_face:
        raise FootageError(
            f"no face was found in {film}", "use a film that shows one person's face from the front, well lit"
        )
    ambiguous = sum(_second_share(faces) > SECOND_FACE for faces in with_face)
    if ambiguous > len(with_face) / 4:
        raise FootageError(
            f"{film} shows two faces of similar size",
            "use a film, or a part of it (--start-s, --end-s), with one person",
        )
    return frame_head([faces[0].landmarks for faces in with_face], info.width, info.height, config.size)


def _second_share(faces: list[Face]) -> float:
    if len(faces) < 2:
        return 0.0
    return face_height_px(faces[1].landmarks) / face_height_px(faces[0].landmarks)


def _observe(
    film: Path,
    info: VideoInfo,
    framing: Framing,
    landmarker: FaceLandmarker,
    matte: PersonMatte,
    config: CaptureConfig,
    folder: Path,
    seen: _Observations,
) -> Iterator[Event]:
    """Cut every frame, find the face and the person in it, store both."""
    expected = max(1, round(((config.end_s or info.duration_s) - config.start_s) * FPS))
    started = time.monotonic()
    with (
        ImageStoreWriter(folder / FRAMES, lossless=False) as frame_writer,
        ImageStoreWriter(folder / MATTES, lossless=True) as matte_writer,
    ):
        for k, film_frame in enumerate(_frames(film, config)):
            rgb = framing.cut(film_frame)
            faces = landmarker.detect(rgb)
            seen.found.append(bool(faces))
            if faces:
                face = min(faces, key=lambda f: _distance(f, seen.landmarks))
                seen.landmarks.append(face.landmarks)
                seen.blendshapes.append(face.blendshapes)
            else:
                seen.landmarks.append(np.zeros((478, 3), np.float32))
                seen.blendshapes.append(np.zeros(52, np.float32))
            frame_writer.append(rgb)
            matte_writer.append(matte.matte(rgb))
            if k % FPS == 0:
                yield Progress("finding the face", k, max(expected, k), time.monotonic() - started)
    n_frames = len(seen.found)
    yield Progress("finding the face", n_frames, n_frames, time.monotonic() - started)
    if n_frames < MIN_FRAMES:
        raise FootageError(
            f"{film} is only {n_frames / FPS:.1f} s long", f"use at least {MIN_FRAMES / FPS:.0f} s, better 30 s"
        )


def _distance(face: Face, earlier: list[Float32[ndarray, "478 3"]]) -> float:
    """How far a face is from where the person was; the largest face where the person was not seen yet."""
    if not earlier or not earlier[-1].any():
        return -face_height_px(face.landmarks)
    return float(np.linalg.norm(face.landmarks[:, :2].mean(0) - earlier[-1][:, :2].mean(0)))


def _check_coverage(film: Path, observed: Bool[ndarray, " T"]) -> Iterator[Event]:
    missing = np.flatnonzero(~observed)
    if len(missing) > MAX_MISSING_SHARE * len(observed):
        raise FootageError(
            f"no face in {len(missing)} of {len(observed)} frames of {film} (first at {missing[0] / FPS:.1f} s)",
            "trim the film to the part where the face is seen (--start-s, --end-s)",
        )
    if len(missing):
        yield Warned(f"no face in {len(missing)} frames, the first at {missing[0] / FPS:.1f} s; they are filled in")


def _extract_sound(
    film: Path, info: VideoInfo, config: CaptureConfig, folder: Path, n_frames: int
) -> Generator[Event, None, bool]:
    if not info.has_audio:
        yield Warned(f"{film.name} has no sound track: the avatar will have no voice model of its own")
        return False
    soundfile.write(folder / SOUND, cut_sound(film, config.start_s, n_frames), SAMPLE_RATE)
    return True


def _filled(landmarks: Float32[ndarray, "T 478 3"], observed: Bool[ndarray, " T"]) -> Float32[ndarray, "T 478 3"]:
    """Interpolate the frames without a face in time."""
    if observed.all():
        return landmarks
    known = np.flatnonzero(observed)
    flat = landmarks.reshape(len(landmarks), -1)
    missing = np.flatnonzero(~observed)
    right = np.clip(np.searchsorted(known, missing), 0, len(known) - 1)
    left = np.clip(right - 1, 0, len(known) - 1)
    a, b = known[left], known[right]
    share = np.clip((missing - a) / np.maximum(b - a, 1), 0, 1)[:, None].astype(np.float32)
    flat[missing] = (1 - share) * flat[a] + share * flat[b]
    return flat.reshape(landmarks.shape)


def _assemble(
    landmarks: Float32[ndarray, "T 478 3"],
    seen: _Observations,
    track: RigidTrack,
    camera: Camera,
    frames: ImageStore,
    mattes: ImageStore,
) -> tuple[Tracking, TorsoTrack]:
    """Torso, stabilised controls and reference pose from the head's track."""
    n_train = len(frames) * (HELD_OUT - 1) // HELD_OUT
    R_world_head = track.R_world_head
    R_reference = mean_rotation(R_world_head[:n_train])
    xyz_reference = track.xyz[:n_train].mean(0)
    away = np.linalg.norm(R_world_head[:n_train] - R_reference, axis=(1, 2))
    reference = int(np.argmin(away + np.linalg.norm(track.xyz[:n_train] - xyz_reference, axis=1)))

    torso = track_torso(
        frames.grey, len(frames), reference, _torso_mask(landmarks[reference], mattes.grey(reference), camera)
    )
    R_world_torso, torso_xyz = torso_poses(torso, R_reference, xyz_reference, camera)
    in_head = landmarks_in_head(landmarks, R_world_head, track.xyz, track.points, camera)
    neutral = np.median(in_head[:n_train][seen.observed[:n_train]], axis=0)
    reference_wxyz = wxyz_from_matrix(R_reference)
    motion = Motion(
        face=face_displacements(in_head, neutral),
        head_wxyz=same_hemisphere(wxyz_from_matrix(R_world_head), reference_wxyz).astype(np.float32),
        head_xyz=track.xyz.astype(np.float32),
        torso_wxyz=same_hemisphere(wxyz_from_matrix(R_world_torso), reference_wxyz).astype(np.float32),
        torso_xyz=torso_xyz.astype(np.float32),
        blendshapes=np.stack(seen.blendshapes),
        valid=seen.observed,
    )
    tracking = Tracking(
        landmarks, motion, neutral, reference_wxyz.astype(np.float32), xyz_reference.astype(np.float32), reference
    )
    return tracking, torso


def _torso_mask(
    landmarks: Float32[ndarray, "478 3"], matte: UInt8[ndarray, "h w"], camera: Camera
) -> UInt8[ndarray, "H W"]:
    """The person from a quarter of a face below the chin."""
    person = cv2.erode(upscale_matte(matte, camera.width), np.ones((5, 5), np.uint8)) > 200
    person[: int(landmarks[152, 1] + 0.25 * face_height_px(landmarks))] = False
    return person.astype(np.uint8) * 255


def _quality(head: HeadTrack, torso: TorsoTrack) -> TrackQuality:
    return TrackQuality(
        round(head.residual_flow_px, 4),
        round(head.residual_flow_landmarks_px, 4),
        round(float(torso.inlier_share.mean()), 4),
        round(float((torso.inlier_share == 0).mean()), 4),
    )


def _quality_note(quality: TrackQuality) -> str:
    return (
        f"residual flow {quality.residual_flow_px:.2f} px (landmarks alone {quality.residual_flow_landmarks_px:.2f}), "
        f"torso inliers {quality.torso_inlier_share:.0%}"
    )

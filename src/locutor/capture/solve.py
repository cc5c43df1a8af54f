"""From what was observed to the tracking: head, torso, stabilised controls. Each part is kept once it is found."""

from __future__ import annotations

import time
from collections.abc import Generator
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Bool, Float32, UInt8
from numpy import ndarray

from locutor.capture.blendshapes import corrected_blendshapes
from locutor.capture.detect import face_height_px
from locutor.capture.gaze import gaze_turns
from locutor.capture.head import HeadTrack, track_head
from locutor.capture.image_store import ImageStore
from locutor.capture.observe import Observations
from locutor.capture.performance import FRAMES, HELD_OUT, MATTES, TRACKING, Tracking, upscale_matte
from locutor.capture.shoulders import shoulder_shifts, usual_at_zero
from locutor.capture.stabilise import face_displacements, landmarks_in_head
from locutor.capture.torso import TorsoTrack, torso_poses, track_torso
from locutor.core.camera import Camera
from locutor.core.clock import FPS
from locutor.core.events import Event, Progress
from locutor.core.files import atomic_path
from locutor.core.motion import Motion
from locutor.geometry.rotation import mean_rotation, same_hemisphere, wxyz_from_matrix

HEAD, TORSO = "head.npz", "torso.npz"
STAGE = "solving the pose"
N_REFERENCES = 5


def solve_tracking(
    seen: Observations, cuts: list[int], camera: Camera, folder: Path
) -> Generator[Event, None, tuple[Tracking, HeadTrack, TorsoTrack]]:
    """Write `TRACKING`; the head's and the torso's tracks are kept in the folder as they are found.

    Args:
        seen: all frames.
        cuts: frames with which a new shot begins; nothing is followed across.
        camera: of the frames.
        folder: holds the frames and mattes.
    """
    started = time.monotonic()
    frames, mattes = ImageStore(folder / FRAMES), ImageStore(folder / MATTES)
    yield Progress(STAGE, 0, 3, 0.0, "head")
    if (folder / HEAD).is_file():
        head = HeadTrack.load(folder / HEAD)
    else:
        head = track_head(seen.landmarks, seen.observed, camera, frames.grey, cuts)
        with atomic_path(folder / HEAD) as part:
            head.save(part)
    yield Progress(STAGE, 1, 3, time.monotonic() - started, "torso")
    if (folder / TORSO).is_file():
        torso = TorsoTrack.load(folder / TORSO)
    else:
        references = _reference_frames(head, len(frames), seen.observed)
        torso = track_torso(
            frames.grey,
            len(frames),
            references,
            lambda k: torso_mask(seen.landmarks[k], mattes.grey(k), camera.width),
        )
        with atomic_path(folder / TORSO) as part:
            torso.save(part)
    yield Progress(STAGE, 2, 3, time.monotonic() - started, "controls")
    reference = torso.reference
    matte = upscale_matte(mattes.grey(reference), camera.width)
    shoulders_px = shoulder_shifts(frames.grey, torso, reference, seen.landmarks[reference], matte)
    tracking = _assemble(seen, head, torso, shoulders_px, reference, camera)
    with atomic_path(folder / TRACKING) as part:
        tracking.save(part)
    yield Progress(STAGE, 3, 3, time.monotonic() - started)
    return tracking, head, torso


def n_train_of(n_frames: int) -> int:
    """Leading frames that may be learnt from."""
    return n_frames * (HELD_OUT - 1) // HELD_OUT


def torso_mask(landmarks: Float32[ndarray, "478 3"], matte: UInt8[ndarray, "h w"], size: int) -> UInt8[ndarray, "H W"]:
    """The person from a quarter of a face below the chin, 0 or 255."""
    person = cv2.erode(upscale_matte(matte, size), np.ones((5, 5), np.uint8)) > 200
    person[: max(0, int(landmarks[152, 1] + 0.25 * face_height_px(landmarks)))] = False
    return person.astype(np.uint8) * 255


def _reference_frames(head: HeadTrack, n_frames: int, observed: Bool[ndarray, " T"]) -> list[int]:
    """Training frames near the mean pose, the nearest first, a second and more apart from each other."""
    n_train = n_train_of(n_frames)
    R, xyz = head.rigid.R_world_head[:n_train], head.rigid.xyz[:n_train]
    away = np.linalg.norm(R - mean_rotation(R), axis=(1, 2)) + np.linalg.norm(xyz - xyz.mean(0), axis=1)
    chosen: list[int] = []
    for k in np.argsort(np.where(observed[:n_train], away, np.inf), kind="stable").tolist():
        if all(abs(k - other) >= FPS for other in chosen):
            chosen.append(k)
        if len(chosen) == N_REFERENCES:
            break
    return chosen


def _assemble(
    seen: Observations,
    head: HeadTrack,
    torso: TorsoTrack,
    shoulders_px: Float32[ndarray, "T 2"],
    reference: int,
    camera: Camera,
) -> Tracking:
    n_train, track, observed = n_train_of(len(seen)), head.rigid, seen.observed
    R_world_head = track.R_world_head
    R_reference, xyz_reference = mean_rotation(R_world_head[:n_train]), track.xyz[:n_train].mean(0)
    R_world_torso, torso_xyz = torso_poses(torso, R_reference, xyz_reference, camera)
    in_head = landmarks_in_head(seen.landmarks, R_world_head, track.xyz, track.points, camera)
    neutral = np.median(in_head[:n_train][observed[:n_train]], axis=0)
    reference_wxyz = wxyz_from_matrix(R_reference)
    motion = Motion(
        face=face_displacements(in_head, neutral),
        head_wxyz=same_hemisphere(wxyz_from_matrix(R_world_head), reference_wxyz).astype(np.float32),
        head_xyz=track.xyz.astype(np.float32),
        torso_wxyz=same_hemisphere(wxyz_from_matrix(R_world_torso), reference_wxyz).astype(np.float32),
        torso_xyz=torso_xyz.astype(np.float32),
        blendshapes=corrected_blendshapes(seen.blendshapes, in_head, observed),
        valid=observed,
        gaze=gaze_turns(in_head, observed),
        shoulders=usual_at_zero(shoulders_px, n_train) * np.float32(xyz_reference[2] / camera.focal_px),
    )
    return Tracking(
        seen.landmarks, motion, neutral, reference_wxyz.astype(np.float32), xyz_reference.astype(np.float32), reference
    )

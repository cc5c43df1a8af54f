"""What is known exactly of a performance: motion, landmarks, camera, phonemes."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float32, UInt8
from numpy import ndarray

from locutor.actors.landmark_table import in_head, landmark_table, neutral_landmarks, true_landmarks
from locutor.actors.motion import PerformerMotion
from locutor.actors.performance_script import Recital
from locutor.actors.scene import HEAD_PIVOT, TORSO_PIVOT, Actor, Label
from locutor.core.arkit import ARKIT_NAMES
from locutor.core.clock import FPS
from locutor.core.face import FACE_POINTS, LIP_GAP_ROWS, LIPS_OUTER, OUTER_EYE_CORNERS, RIGID
from locutor.core.motion import Motion
from locutor.geometry.rotation import matrix_from_rotvec, wxyz_from_matrix


def truth_arrays(actor: Actor, motion: PerformerMotion, recital: Recital) -> dict[str, ndarray]:
    """Everything that is known, by the names under which `truth.npz` holds it (docs/performers.md)."""
    table = landmark_table(actor.rig)
    neutral = neutral_landmarks(actor, table)
    right, left = neutral[list(OUTER_EYE_CORNERS)]
    unit = float(np.linalg.norm(left - right))
    origin = neutral[list(RIGID)].mean(0)
    world = true_landmarks(actor, motion, table)
    head = (in_head(world, motion, actor, HEAD_PIVOT) - origin) / unit
    at_rest = (neutral - origin) / unit
    points = list(FACE_POINTS)
    face = (head[:, points, :2] - at_rest[points, :2]).astype(np.float32)
    head_wxyz, head_xyz = _body(motion.head_rotvec, motion.head_shift, HEAD_PIVOT, origin, actor.distance, unit)
    torso_wxyz, torso_xyz = _body(motion.torso_rotvec, motion.torso_shift, TORSO_PIVOT, origin, actor.distance, unit)
    true = Motion(
        face=face,
        head_wxyz=head_wxyz,
        head_xyz=head_xyz,
        torso_wxyz=torso_wxyz,
        torso_xyz=torso_xyz,
        blendshapes=motion.expression,
        valid=np.ones(len(motion), bool),
    )
    camera = actor.camera
    upper, lower = (head[:, points[row]] for row in LIP_GAP_ROWS)
    depth_px = (world[..., 2] - world[:, RIGID, 2].mean(1)[:, None]) * camera.focal_px / actor.distance
    phonemes = [p for spoken in recital.spoken for p in spoken.phonemes]
    arrays: dict[str, ndarray] = {f"motion_{name}": values for name, values in true.channels().items()}
    return arrays | {
        "fps": np.array(FPS),
        "blendshape_names": np.array(ARKIT_NAMES),
        "landmarks": np.concatenate([camera.project(world), depth_px[..., None]], -1).astype(np.float32),
        "neutral": at_rest.astype(np.float32),
        "gaze": motion.gaze,
        "lip_gap": np.linalg.norm(upper - lower, axis=1).astype(np.float32),
        "camera": np.array([camera.focal_px, camera.cx, camera.cy]),
        "unit": np.array(unit),
        "phoneme_symbols": np.array([p.symbol for p in phonemes], dtype=np.str_),
        "phoneme_starts_s": np.array([p.start_s for p in phonemes]),
        "line_texts": np.array([s.line.text for s in recital.spoken], dtype=np.str_),
        "line_starts_s": np.array([s.start_s for s in recital.spoken]),
        "line_ends_s": np.array([s.end_s for s in recital.spoken]),
    }


def _body(
    rotvec: Float32[ndarray, "T 3"],
    shift: Float32[ndarray, "T 3"],
    pivot: Float32[ndarray, " 3"],
    origin: Float32[ndarray, " 3"],
    distance: float,
    unit: float,
) -> tuple[Float32[ndarray, "T 4"], Float32[ndarray, "T 3"]]:
    """Rotation and translation (inter-ocular units) of a body that turns about its pivot."""
    R = matrix_from_rotvec(rotvec)
    xyz = (origin - pivot) @ np.swapaxes(R, 1, 2) + pivot + shift + [0, 0, distance]
    return wxyz_from_matrix(R).astype(np.float32), (xyz / unit).astype(np.float32)


def with_lips(labels: UInt8[ndarray, "H W"], landmarks: Float32[ndarray, "478 3"]) -> UInt8[ndarray, "H W"]:
    """The labels of a frame with the lips told from the rest of the head, by their true landmarks (px)."""
    outline = np.zeros_like(labels)
    polygon = np.round(landmarks[list(LIPS_OUTER), :2] * 16).astype(np.int32) - 8
    cv2.fillPoly(outline, [polygon], 1, cv2.LINE_8, 4)
    return np.where((outline > 0) & (labels == Label.HEAD), np.uint8(Label.LIPS), labels)

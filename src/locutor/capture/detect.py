"""MediaPipe's face landmarker and person matte, one image at a time."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import cv2
import numpy as np
from jaxtyping import Float, Float32, UInt8
from numpy import ndarray

from locutor.capture.model_files import FACE_LANDMARKER, SELFIE_MATTE, find_model_file
from locutor.core.errors import MissingPartError

N_LANDMARKS = 478
N_BLENDSHAPES = 52
DEPTH_GAIN = 1.2  # the network's faces are too flat, by performers with the heads of scanned people (ICT-FaceKit)
MATTE_SIZE = 256  # the model's own resolution
MATTE_STEP = 16  # finer steps are noise, and cost space


@dataclass(frozen=True)
class Face:
    """One detected face.

    Attributes:
        landmarks: [478, 3], px; z in px too (corrected by `DEPTH_GAIN`), smaller is nearer.
        blendshapes: [52], ARKit coefficients in MediaPipe's order (the first is `_neutral`).
    """

    landmarks: Float32[ndarray, "478 3"]
    blendshapes: Float32[ndarray, " 52"]


@contextmanager
def _without_chatter() -> Iterator[None]:
    """Keep the notes that mediapipe's C++ prints while it starts away from the user's terminal."""
    sys.stderr.flush()
    kept = os.dup(2)
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _vision() -> tuple[Any, Any, Any]:
    """Entry points of mediapipe, an optional part without types."""
    try:
        import mediapipe as mp
        from mediapipe.tasks.python import BaseOptions, vision
    except ImportError as error:
        raise MissingPartError("face tracking needs mediapipe", "pip install 'locutor[capture]'") from error
    return mp, BaseOptions, vision


class FaceLandmarker:
    """Landmarks of the faces in an image, in IMAGE mode: VIDEO mode filters over time and lags.

    Raises:
        MissingPartError: mediapipe is not installed.
        ModelFileError: the model file is missing.
    """

    def __init__(self, max_faces: int = 2) -> None:
        self._mp, base, vision = _vision()
        options = vision.FaceLandmarkerOptions(
            base_options=base(model_asset_path=str(find_model_file(FACE_LANDMARKER))),
            running_mode=vision.RunningMode.IMAGE,
            output_face_blendshapes=True,
            num_faces=max_faces,
        )
        with _without_chatter():
            self._task = vision.FaceLandmarker.create_from_options(options)
            self.detect(np.zeros((64, 64, 3), np.uint8))

    def __enter__(self) -> FaceLandmarker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Free the model."""
        self._task.close()

    def detect(self, rgb: UInt8[ndarray, "H W 3"]) -> list[Face]:
        """Faces in the image, the largest first."""
        height, width = rgb.shape[:2]
        image = self._mp.Image(image_format=self._mp.ImageFormat.SRGB, data=np.ascontiguousarray(rgb))
        result = self._task.detect(image)
        scale = np.array([width, height, DEPTH_GAIN * width], np.float32)
        faces = [
            Face(
                np.array([(p.x, p.y, p.z) for p in points], np.float32) * scale,
                np.array([c.score for c in scores], np.float32),
            )
            for points, scores in zip(result.face_landmarks, result.face_blendshapes, strict=True)
        ]
        return sorted(faces, key=lambda face: -face_height_px(face.landmarks))


def face_height_px(landmarks: Float[ndarray, "478 3"]) -> float:
    """Distance from the chin to the top of the forehead, px."""
    return float(np.linalg.norm(landmarks[152, :2] - landmarks[10, :2]))


class PersonMatte:
    """Which pixels show the person.

    Raises:
        MissingPartError: mediapipe is not installed.
        ModelFileError: the model file is missing.
    """

    def __init__(self) -> None:
        self._mp, base, vision = _vision()
        options = vision.ImageSegmenterOptions(
            base_options=base(model_asset_path=str(find_model_file(SELFIE_MATTE))),
            running_mode=vision.RunningMode.IMAGE,
            output_confidence_masks=True,
            output_category_mask=False,
        )
        with _without_chatter():
            self._task = vision.ImageSegmenter.create_from_options(options)
            self.matte(np.zeros((64, 64, 3), np.uint8))

    def __enter__(self) -> PersonMatte:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._task.close()

    def matte(self, rgb: UInt8[ndarray, "H W 3"]) -> UInt8[ndarray, "256 256"]:
        """Probability of person, 0..255 in 16 steps, at the model's resolution."""
        small = cv2.resize(rgb, (MATTE_SIZE, MATTE_SIZE), interpolation=cv2.INTER_AREA)
        image = self._mp.Image(image_format=self._mp.ImageFormat.SRGB, data=small)
        probability = self._task.segment(image).confidence_masks[0].numpy_view()
        return (np.squeeze(probability) * 255).astype(np.uint8) // MATTE_STEP * MATTE_STEP

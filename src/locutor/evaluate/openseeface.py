"""OpenSeeFace's landmarker (66 points) through ONNX Runtime: independent of the one that tracks the footage.

The networks are those of github.com/emilianavt/OpenSeeFace (BSD-2), in $LOCUTOR_MODELS/openseeface.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import Float, Float32, UInt8
from numpy import ndarray

from locutor.core.errors import MissingPartError, ModelFileError

DETECTOR, LANDMARKER = "mnv3_detection_opt.onnx", "lm_model0_opt.onnx"
N_POINTS, INPUT_PX, GRID = 66, 224, 28
LOGIT_FACTOR = 16.0  # the network's offsets are logits over this, in units of the input's size
LEAST_CONFIDENCE = 0.6  # of a detection
MARGIN = (0.1, 0.125)  # of the box that the landmarker wants around a face, in its width and height
MEAN = np.array([0.485, 0.456, 0.406], np.float32)
DEVIATION = np.array([0.229, 0.224, 0.225], np.float32)
OUTER_EYES = (36, 45)
MOUTH = slice(48, 66)
LIP_GAP = (61, 64)  # middle of the upper and the lower lip's inner edge (the inner corners are left out)


class OpenSeeFace:
    """Landmarks of one face, frame by frame; where it was in the last frame it is looked for in the next.

    Raises:
        MissingPartError: onnxruntime is not installed.
        ModelFileError: the networks are not there.
    """

    def __init__(self) -> None:
        try:
            import onnxruntime
        except ImportError as error:
            raise MissingPartError("OpenSeeFace needs onnxruntime", "pip install 'locutor[judge]'") from error
        folder = Path(os.environ.get("LOCUTOR_MODELS", "")) / "openseeface"
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.log_severity_level = 1, 3

        def session(name: str) -> Any:
            if not (folder / name).is_file():
                raise ModelFileError(
                    f"OpenSeeFace's {name} is not in {folder}",
                    "put the networks of github.com/emilianavt/OpenSeeFace into $LOCUTOR_MODELS/openseeface",
                )
            return onnxruntime.InferenceSession(folder / name, options, providers=["CPUExecutionProvider"])

        self._detector, self._landmarker = session(DETECTOR), session(LANDMARKER)
        self._box: Float[ndarray, " 4"] | None = None

    def restart(self) -> None:
        """Another film begins: the face is looked for in the whole picture."""
        self._box = None

    def step(self, rgb: UInt8[ndarray, "H W 3"]) -> Float32[ndarray, "66 2"]:
        """Points of the next frame, px; not numbers where no face is found."""
        found = np.full((N_POINTS, 2), np.nan, np.float32)
        box = self._box if self._box is not None else self._detect(rgb)
        for _ in range(2 if self._box is not None else 3):  # the box of the last frame, then one around the points
            if box is None:
                break
            found = self._points(rgb, box)
            box = np.concatenate([found.min(0), found.max(0)])
        self._box = box
        return found

    def _detect(self, rgb: UInt8[ndarray, "H W 3"]) -> Float[ndarray, " 4"] | None:
        """The surest face as left, top, right, bottom, px."""
        maps, highest = self._detector.run([], {"input": _network_input(rgb)})
        sure = np.where(maps[0, 0] == highest[0, 0], maps[0, 0], 0)  # local maxima
        row, column = np.unravel_index(np.argmax(sure), sure.shape)
        if sure[row, column] < LEAST_CONFIDENCE:
            return None
        radius = maps[0, 1, row, column] * INPUT_PX / 2
        centre = np.array([column, row]) * INPUT_PX / sure.shape[0]
        to_picture = np.array(rgb.shape[1::-1]) / INPUT_PX
        return np.concatenate([(centre - radius) * to_picture, (centre + radius) * to_picture])

    def _points(self, rgb: UInt8[ndarray, "H W 3"], box: Float[ndarray, " 4"]) -> Float32[ndarray, "66 2"]:
        size = np.tile(box[2:] - box[:2], 2) * np.array([-1, -1, 1, 1])
        left, top, right, bottom = box + size * np.tile(MARGIN, 2)
        scale_x, scale_y = (right - left) / INPUT_PX, (bottom - top) / INPUT_PX
        if not (scale_x > 0 and scale_y > 0):
            return np.full((N_POINTS, 2), np.nan, np.float32)
        to_crop = np.array([[1 / scale_x, 0, -left / scale_x], [0, 1 / scale_y, -top / scale_y]])
        crop = cv2.warpAffine(rgb, to_crop, (INPUT_PX, INPUT_PX), borderMode=cv2.BORDER_REPLICATE)
        maps = self._landmarker.run([], {"input": _network_input(crop)})[0].reshape(3, N_POINTS, GRID * GRID)
        best = maps[0].argmax(1)
        along_y, along_x = (m[np.arange(N_POINTS), best] for m in maps[1:])
        whole = INPUT_PX - 1
        y = whole * (best // GRID / (GRID - 1) + _logit(along_y))
        x = whole * (best % GRID / (GRID - 1) + _logit(along_x))
        return np.stack([left + scale_x * x, top + scale_y * y], 1).astype(np.float32)


def _network_input(rgb: UInt8[ndarray, "H W 3"]) -> Float32[ndarray, "1 3 224 224"]:
    resized = cv2.resize(rgb, (INPUT_PX, INPUT_PX), interpolation=cv2.INTER_LINEAR)
    return ((resized.astype(np.float32) / 255 - MEAN) / DEVIATION).transpose(2, 0, 1)[None]


def _logit(p: Float32[ndarray, " N"]) -> Float32[ndarray, " N"]:
    p = np.clip(p, 1e-7, 1 - 1e-7)
    return np.log(p / (1 - p)) / LOGIT_FACTOR


def mouth_distance_percent(truth: Float[ndarray, "T 66 2"], other: Float[ndarray, "T 66 2"]) -> Float[ndarray, " T"]:
    """Distance of the mouth's points, each mouth about its own middle (the papers' LMD), in % of the eyes' distance."""
    a, b = (points[:, MOUTH] - points[:, MOUTH].mean(1, keepdims=True) for points in (truth, other))
    return 100 * np.linalg.norm(a - b, axis=-1).mean(1) / eye_distance(truth)


def distance_percent(truth: Float[ndarray, "T 66 2"], other: Float[ndarray, "T 66 2"]) -> Float[ndarray, " T"]:
    """Mean distance of all points, in % of the distance of the outer eye corners."""
    return 100 * np.linalg.norm(truth - other, axis=-1).mean(1) / eye_distance(truth)


def lip_gap(points: Float[ndarray, "T 66 2"]) -> Float[ndarray, " T"]:
    """Opening of the lips as a share of the eyes' distance."""
    upper, lower = LIP_GAP
    return np.linalg.norm(points[:, upper] - points[:, lower], axis=-1) / eye_distance(points)


def eye_distance(points: Float[ndarray, "T 66 2"]) -> Float[ndarray, " T"]:
    """Distance of the outer eye corners, px."""
    right, left = OUTER_EYES
    return np.linalg.norm(points[:, right] - points[:, left], axis=-1)

"""The blendshape rig ICT-FaceKit (MIT), packed as one npz file. It is loaded from the model folder, never shipped."""

from __future__ import annotations

import json
import os
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from jaxtyping import Float32
from numpy import ndarray
from scipy.special import expit

from locutor.actors.rig import EXPRESSION_ROWS, Parts, Rig
from locutor.core.errors import FormatError, ModelFileError

FOLDER = "ict_facekit"
ARRAYS = (
    "vertices", "quads", "uv", "quads_uv", "material", "material_names", "identity", "expression", "expression_names",
)  # fmt: skip

# Vertex ranges (README of ICT-FaceKit); twelve lash cards of 114 vertices, of each eye three upper and three lower.
_CARDS = tuple(slice(start, start + 114) for start in range(25351, 26719, 114))
PARTS = Parts(
    face=slice(0, 9409),
    head_and_neck=slice(9409, 11248),
    mouth_socket=slice(11248, 13294),
    eye_sockets=slice(13294, 14062),
    gums_and_tongue=slice(14062, 17039),
    teeth=slice(17039, 21451),
    eyeball_left=slice(21451, 23021),
    eyeball_right=slice(23021, 24591),
    lashes_upper=_CARDS[:3] + _CARDS[6:9],
    lashes_lower=_CARDS[3:6] + _CARDS[9:],
)
TONGUE_OUT, TONGUE_REACH = np.array([0.0, 0.25, -2.4], np.float32), 3.4


def find_ict_folder() -> Path | None:
    """Folder of the rig in the model folder named by the environment variable LOCUTOR_MODELS; None without one."""
    models = os.environ.get("LOCUTOR_MODELS", "")
    folder = Path(models) / FOLDER
    return folder if models and folder.is_dir() else None


def load_rig(folder: Path) -> Rig:
    """Read the rig from `ict_facekit.npz` and `vertex_indices.json`.

    Raises:
        ModelFileError: a file is missing.
        FormatError: a file is damaged or lacks an array, which is named.
    """
    archive, indices = folder / "ict_facekit.npz", folder / "vertex_indices.json"
    for path in (archive, indices):
        if not path.is_file():
            raise ModelFileError(f"{path} is missing", "pack the rig again")
    try:
        with np.load(archive, allow_pickle=False) as packed:
            missing = [name for name in ARRAYS if name not in packed.files]
            if missing:
                raise FormatError(f"{archive} lacks the array {missing[0]!r}", "pack the rig again")
            arrays = {name: packed[name] for name in ARRAYS}
    except (BadZipFile, ValueError, EOFError) as error:
        raise FormatError(f"{archive} is not a readable npz file: {error}", "pack the rig again") from error
    try:
        landmarks = json.loads(indices.read_text())["idx_to_landmark_verts"]
    except (KeyError, json.JSONDecodeError) as error:
        raise FormatError(f"{indices} lacks 'idx_to_landmark_verts'", "pack the rig again") from error
    return _rig(arrays, np.array(landmarks))


FLIP = np.array([1, -1, -1], np.float32)  # the files have y up and z towards the camera


def _rig(arrays: dict[str, ndarray], landmarks: ndarray) -> Rig:
    quads, quads_uv, material = arrays["quads"], arrays["quads_uv"], arrays["material"]
    four = quads[:, 3] >= 0
    neutral = arrays["vertices"].astype(np.float32) * FLIP
    return Rig(
        name="ict",
        neutral=neutral,
        identity=arrays["identity"].astype(np.float32) * FLIP,
        expression=_arkit_expressions(arrays, neutral),
        triangles=np.concatenate([quads[:, :3], quads[four][:, [0, 2, 3]]]),
        triangles_uv=np.concatenate([quads_uv[:, :3], quads_uv[four][:, [0, 2, 3]]]),
        triangle_material=np.concatenate([material, material[four]]),
        material_names=tuple(str(name) for name in arrays["material_names"]),
        uv=arrays["uv"].astype(np.float32),
        landmarks=landmarks,
        parts=PARTS,
    )


def arkit_name(name: str) -> str | None:
    """ARKit's name of an expression of ICT-FaceKit; None where ARKit has none (pupils, raised cheeks).

    The files have one mesh per side for browInnerUp and cheekPuff, whose sum is ARKit's; tongueOut they lack.
    """
    plain = name.removesuffix("_L").removesuffix("_R")
    if plain in EXPRESSION_ROWS:
        return plain
    sided = plain + {"_L": "Left", "_R": "Right"}.get(name[-2:], "")
    return sided if sided in EXPRESSION_ROWS else None


def _arkit_expressions(arrays: dict[str, ndarray], neutral: Float32[ndarray, "V 3"]) -> Float32[ndarray, "52 V 3"]:
    expression = np.zeros((len(EXPRESSION_ROWS), *neutral.shape), np.float32)
    for name, offsets in zip(arrays["expression_names"], arrays["expression"], strict=True):
        arkit = arkit_name(str(name))
        if arkit:
            expression[EXPRESSION_ROWS[arkit]] += offsets.astype(np.float32) * FLIP
    # The tongue slides forward as far as the lips; its root stays. The gums, of the same part, lie further out.
    tongue = neutral[PARTS.gums_and_tongue]
    x, y, z = np.abs(tongue[:, 0]), tongue[:, 1], tongue[:, 2]
    free = expit((2.0 - x) / 0.12) * expit((y - 2.8) / 0.1) * expit((z + 9.85) / 0.04)
    forward = free * np.clip((-TONGUE_REACH - z) / 5.5, 0, 1)
    expression[EXPRESSION_ROWS["tongueOut"], PARTS.gums_and_tongue] = forward[:, None] * TONGUE_OUT
    return expression

"""The blendshape rig ICT-FaceKit (MIT), packed as one npz file. It is loaded from the model folder, never shipped."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from jaxtyping import Float32, Int
from numpy import ndarray
from scipy.sparse import coo_array, csr_array

from locutor.core.errors import FormatError, ModelFileError

FOLDER = "ict_facekit"
ARRAYS = (
    "vertices", "quads", "uv", "quads_uv", "material", "material_names", "identity", "expression", "expression_names",
)  # fmt: skip

# Vertex ranges of the parts (README of ICT-FaceKit).
FACE = slice(0, 9409)
HEAD_AND_NECK = slice(9409, 11248)
MOUTH_SOCKET = slice(11248, 13294)
EYE_SOCKETS = slice(13294, 14062)
GUMS_AND_TONGUE = slice(14062, 17039)
TEETH = slice(17039, 21451)
EYEBALL_LEFT = slice(21451, 23021)
EYEBALL_RIGHT = slice(23021, 24591)
LASHES = slice(25351, 26719)

# Rows of the 68 landmarks (the iBUG scheme).
LANDMARK_LIPS_OUTER = tuple(range(48, 60))
LANDMARK_LIPS_INNER = tuple(range(60, 68))
LANDMARK_BROW_RIGHT, LANDMARK_BROW_LEFT = tuple(range(17, 22)), tuple(range(22, 27))
LANDMARK_EYE_CORNERS = (36, 45)
LANDMARK_LIP_GAP = (62, 66)


@dataclass(frozen=True)
class Rig:
    """A head with named expressions and a space of identities. Lengths are rig units, about a centimetre.

    Frame: x to the right of the image (the person's left), y down, z away from the camera.

    Attributes:
        neutral: mean face with closed mouth and open eyes.
        identity, expression: offsets for a coefficient of one.
        triangles, triangles_uv: vertex and texture-coordinate indices; front sides run counter-clockwise.
        triangle_material: row of `material_names`.
        uv: texture coordinates, v up; the integer part of u tells the tile.
        landmarks: vertex indices of the 68 landmarks.
    """

    neutral: Float32[ndarray, "V 3"]
    identity: Float32[ndarray, "I V 3"]
    expression: Float32[ndarray, "E V 3"]
    expression_names: tuple[str, ...]
    triangles: Int[ndarray, "M 3"]
    triangles_uv: Int[ndarray, "M 3"]
    triangle_material: Int[ndarray, " M"]
    material_names: tuple[str, ...]
    uv: Float32[ndarray, "U 2"]
    landmarks: Int[ndarray, 68]

    @cached_property
    def expression_rows(self) -> dict[str, int]:
        """Row of each expression by name."""
        return {name: row for row, name in enumerate(self.expression_names)}

    def person(self, coefficients: Float32[ndarray, " K"]) -> Float32[ndarray, "V 3"]:
        """Neutral face of the person with these first identity coefficients (about standard normal)."""
        return self.neutral + np.tensordot(coefficients, self.identity[: len(coefficients)], 1)

    def deformed(self, neutral: Float32[ndarray, "V 3"], weights: Float32[ndarray, " E"]) -> Float32[ndarray, "V 3"]:
        """A person's neutral face with expressions added."""
        active = np.flatnonzero(weights)
        flat = self.expression[active].reshape(len(active), neutral.size)
        return neutral + (weights[active] @ flat).reshape(-1, 3)

    @cached_property
    def _corner_sum(self) -> csr_array:
        """Sparse [V, M] that adds up what a vertex's triangles say."""
        m = len(self.triangles)
        rows, columns = self.triangles.reshape(-1), np.repeat(np.arange(m), 3)
        return csr_array(coo_array((np.ones(3 * m, np.float32), (rows, columns)), shape=(len(self.neutral), m)))

    def normals(self, vertices: Float32[ndarray, "V 3"]) -> Float32[ndarray, "V 3"]:
        """Unit normals towards the outside; the triangles around a vertex count by their area."""
        corners = vertices[self.triangles]
        summed = self._corner_sum @ np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        return (summed / (np.linalg.norm(summed, axis=1, keepdims=True) + 1e-9)).astype(np.float32)


def rig_folder() -> Path:
    """Folder of the rig in the model folder named by the environment variable LOCUTOR_MODELS.

    Raises:
        ModelFileError: the variable is not set, or the folder has no rig.
    """
    models = os.environ.get("LOCUTOR_MODELS", "")
    folder = Path(models) / FOLDER
    if not models or not folder.is_dir():
        raise ModelFileError(
            f"the face rig ({FOLDER}) is not in the model folder ({models or 'LOCUTOR_MODELS is not set'})",
            "put ict_facekit.npz and vertex_indices.json, packed from github.com/ICT-VGL/ICT-FaceKit (MIT), there",
        )
    return folder


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


def _rig(arrays: dict[str, ndarray], landmarks: ndarray) -> Rig:
    flip = np.array([1, -1, -1], np.float32)  # the files have y up and z towards the camera
    quads, quads_uv, material = arrays["quads"], arrays["quads_uv"], arrays["material"]
    four = quads[:, 3] >= 0
    return Rig(
        neutral=arrays["vertices"].astype(np.float32) * flip,
        identity=arrays["identity"].astype(np.float32) * flip,
        expression=arrays["expression"].astype(np.float32) * flip,
        expression_names=tuple(str(name) for name in arrays["expression_names"]),
        triangles=np.concatenate([quads[:, :3], quads[four][:, [0, 2, 3]]]),
        triangles_uv=np.concatenate([quads_uv[:, :3], quads_uv[four][:, [0, 2, 3]]]),
        triangle_material=np.concatenate([material, material[four]]),
        material_names=tuple(str(name) for name in arrays["material_names"]),
        uv=arrays["uv"].astype(np.float32),
        landmarks=landmarks,
    )

"""A blendshape rig: a head with identities and the 52 expressions of ARKit."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float32, Int
from numpy import ndarray
from scipy.sparse import coo_array, csr_array

from locutor.core.arkit import ARKIT_NAMES

# Rows of the 68 landmarks (the iBUG scheme).
LANDMARK_LIPS_OUTER = tuple(range(48, 60))
LANDMARK_BROW_RIGHT, LANDMARK_BROW_LEFT = tuple(range(17, 22)), tuple(range(22, 27))
LANDMARK_EYE_CORNERS = (36, 45)
LANDMARK_LIP_GAP = (62, 66)

EXPRESSION_ROWS = {name: row for row, name in enumerate(ARKIT_NAMES)}
"""Row of each expression by its ARKit name."""


@dataclass(frozen=True)
class Parts:
    """Which vertices belong to what.

    Attributes:
        face, head_and_neck: the outer skin: front, and the rest with the shoulders.
        mouth_socket, eye_sockets: the skin inside.
        lashes_upper, lashes_lower: cards that the lashes lie on, one range each.
    """

    face: slice
    head_and_neck: slice
    mouth_socket: slice
    eye_sockets: slice
    gums_and_tongue: slice
    teeth: slice
    eyeball_left: slice
    eyeball_right: slice
    lashes_upper: tuple[slice, ...]
    lashes_lower: tuple[slice, ...]


@dataclass(frozen=True)
class Rig:
    """A head with expressions and a space of identities. Lengths are rig units, about a centimetre.

    Frame: x to the right of the image (the person's left), y down, z away from the camera. All rigs have about the
    place and the size of ICT-FaceKit's mean head: chin at y = 9, crown at -14, nose at z = -13, shoulders at 17.

    Attributes:
        name: of the kind of rig; `landmark_table` knows the landmarks of each kind.
        neutral: mean face with closed mouth and open eyes.
        identity: offsets for a coefficient of one.
        expression: offsets for a weight of one, in the order of `core.arkit.ARKIT_NAMES`.
        triangles, triangles_uv: vertex and texture-coordinate indices; front sides run counter-clockwise.
        triangle_material: row of `material_names`.
        uv: texture coordinates, v up; the integer part of u tells the tile.
        landmarks: vertex indices of the 68 landmarks.
        parts: vertex ranges.
    """

    name: str
    neutral: Float32[ndarray, "V 3"]
    identity: Float32[ndarray, "I V 3"]
    expression: Float32[ndarray, "52 V 3"]
    triangles: Int[ndarray, "M 3"]
    triangles_uv: Int[ndarray, "M 3"]
    triangle_material: Int[ndarray, " M"]
    material_names: tuple[str, ...]
    uv: Float32[ndarray, "U 2"]
    landmarks: Int[ndarray, 68]
    parts: Parts

    @property
    def eyeballs(self) -> tuple[slice, slice]:
        """Vertices of the left and of the right eyeball."""
        return self.parts.eyeball_left, self.parts.eyeball_right

    def of_material(self, name: str) -> Bool[ndarray, " M"]:
        """Which triangles are made of the material of this name."""
        return self.triangle_material == self.material_names.index(name)

    def person(self, coefficients: Float32[ndarray, " K"]) -> Float32[ndarray, "V 3"]:
        """Neutral face of the person with these first identity coefficients (about standard normal)."""
        return self.neutral + np.tensordot(coefficients, self.identity[: len(coefficients)], 1)

    def deformed(self, neutral: Float32[ndarray, "V 3"], weights: Float32[ndarray, " 52"]) -> Float32[ndarray, "V 3"]:
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

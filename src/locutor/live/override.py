"""Curves that take the place of what the driver does: mouth, eyes, brows and head, each where the curves move it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from locutor.actors.arkit_effects import arkit_effects
from locutor.core.arkit import ARKIT_NAMES
from locutor.core.clock import FPS
from locutor.core.face import BROWS_SLICE, EYES_SLICE, FACE_POINTS, IRISES, MOUTH_SLICE
from locutor.core.motion import Motion
from locutor.geometry.rotation import matrix_from_rotvec, matrix_from_wxyz, wxyz_from_matrix
from locutor.live.curves import Curves

PARTS = {"eye": EYES_SLICE, "brow": BROWS_SLICE}
"""Rows of `Motion.face` by the beginning of a coefficient's name; all others move the mouth."""
FADE = FPS // 5
"""Frames in which the driver takes over again at the end."""
FULL_LOOK = 0.075  # inter-ocular units by which the iris moves at weight 1, as in `export.blendshapes`


def overridden(
    motions: Iterable[Motion],
    curves: Curves,
    rest_wxyz: Float32[ndarray, " 4"],
    closed_mouth: Float32[ndarray, "58 2"],
) -> Iterator[Motion]:
    """The same motion with what the curves move in place of what the driver does.

    A part of the face (mouth with jaw and cheeks, eyes, brows) is replaced from the first to the last frame of the
    curves if any of its coefficients is ever above zero; the head if it turns. The rest stays the driver's, and so
    does everything after the curves' end.

    Args:
        motions: what the driver gives, in order of time.
        curves: what is to be seen.
        rest_wxyz: the head's rest, against which the curves turn it.
        closed_mouth: what the mouth does when all its coefficients are 0; inter-ocular units.
    """
    face, rows = _face(curves), _rows_moved(curves)
    face[:, MOUTH_SLICE] += closed_mouth
    shares = np.clip((len(curves) - np.arange(len(curves), dtype=np.float32)) / FADE, 0, 1)
    first = 0
    for motion in motions:
        n = max(0, min(len(motion), len(curves) - first))
        if n == 0 or motion.face is None:
            yield motion
            continue
        now, share = slice(first, first + n), shares[first : first + n]
        changed = motion.face.copy()
        changed[:n, rows] += share[:, None, None] * (face[now][:, rows] - changed[:n, rows])
        channels = {"face": changed}
        if curves.head is not None and motion.head_wxyz is not None:
            pitch, yaw, roll = curves.head[now].T
            R = matrix_from_rotvec(np.stack([pitch, -yaw, roll], axis=1)) @ matrix_from_wxyz(rest_wxyz.astype(float))
            head = motion.head_wxyz.copy()
            head[:n] = _between(head[:n], wxyz_from_matrix(R).astype(np.float32), share)
            channels["head_wxyz"] = head
        first += n
        yield motion.with_channels(**channels)


def _rows_moved(curves: Curves) -> ndarray:
    moved = np.zeros(len(FACE_POINTS), bool)
    for name, is_moved in zip(ARKIT_NAMES, curves.blendshapes.max(axis=0) > 0, strict=True):
        rows = next((rows for start, rows in PARTS.items() if name.startswith(start)), MOUTH_SLICE)
        moved[rows] |= is_moved
    return np.flatnonzero(moved)


def _face(curves: Curves) -> Float32[ndarray, "T 120 2"]:
    """Displacements that the coefficients mean, irises too."""
    face = np.tensordot(curves.blendshapes, arkit_effects(), axes=1).astype(np.float32)
    value = dict(zip(ARKIT_NAMES, curves.blendshapes.T, strict=True))
    for side, irises, outwards in (("Left", IRISES[5:], 1.0), ("Right", IRISES[:5], -1.0)):
        out, up = (value[f"eyeLook{a}{side}"] - value[f"eyeLook{b}{side}"] for a, b in (("Out", "In"), ("Up", "Down")))
        rows = [FACE_POINTS.index(point) for point in irises]
        face[:, rows] = FULL_LOOK * np.stack([outwards * out, -up], axis=1)[:, None]
    return face


def _between(
    driven: Float32[ndarray, "t 4"], wanted: Float32[ndarray, "t 4"], share: Float32[ndarray, " t"]
) -> Float32[ndarray, "t 4"]:
    """Normalised mean of quaternions."""
    sign = np.where((driven * wanted).sum(axis=1, keepdims=True) < 0, -1, 1)
    mixed = (1 - share[:, None]) * driven + share[:, None] * sign * wanted
    return (mixed / np.linalg.norm(mixed, axis=1, keepdims=True)).astype(np.float32)

"""A picture of an avatar where its footage ends: turned further than it ever turned, mouth wider, lips tighter.

python tools/stress_sheet.py NAME.avatar PERFORMANCE OUT.png
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8
from numpy import ndarray

from locutor.avatar.avatar import Avatar
from locutor.avatar.bundle import load_avatar
from locutor.avatar.film import film
from locutor.capture.performance import Performance
from locutor.core.face import LIP_GAP_ROWS, MOUTH_SLICE
from locutor.core.motion import Motion, concatenate
from locutor.geometry.rotation import matrix_from_rotvec, matrix_from_wxyz, rotvec_from_matrix, wxyz_from_matrix
from locutor.media.pictures import encode_png

BEYOND = np.radians(10.0)
WIDER = 1.25  # of the widest mouth's distance from the neutral face
COLUMNS = 3


def stressed(performance: Performance) -> tuple[list[str], Motion]:
    """The frames of the sheet: what each shows, and its motion."""
    motion = performance.tracking.motion[: performance.n_train]
    face, head_wxyz = motion.require("face", "head_wxyz")
    R_reference = matrix_from_wxyz(performance.tracking.reference_wxyz)
    turns = rotvec_from_matrix(matrix_from_wxyz(head_wxyz) @ R_reference.T)
    names, parts = [], []
    for axis, ends in ((1, ("right", "left")), (0, ("up", "down"))):  # as the viewer sees it
        for extreme, sign, end in ((turns[:, axis].argmin(), -1, ends[0]), (turns[:, axis].argmax(), 1, ends[1])):
            frame = motion[extreme : extreme + 1]
            further = np.zeros(3)
            further[axis] = sign * BEYOND
            R = matrix_from_rotvec(further) @ matrix_from_wxyz(frame.require("head_wxyz")[0])
            names.append(f"10 degrees beyond {end}")
            parts.append(frame.with_channels(head_wxyz=wxyz_from_matrix(R).astype(np.float32)))
    upper, lower = LIP_GAP_ROWS
    gap = face[:, lower, 1] - face[:, upper, 1]
    for name, k, share in (("mouth wider", gap.argmax(), WIDER), ("lips tighter", gap.argmin(), WIDER)):
        exaggerated = face[k : k + 1].copy()
        exaggerated[:, MOUTH_SLICE] *= share
        names.append(name)
        parts.append(motion[k : k + 1].with_channels(face=exaggerated))
    return names, concatenate(parts)


def sheet(avatar: Avatar, performance: Performance) -> UInt8[ndarray, "H W 3"]:
    """All frames with their names, in rows of `COLUMNS`."""
    names, motion = stressed(performance)
    pictures = []
    for name, rgb in zip(names, film(avatar, [motion]), strict=True):
        picture = np.ascontiguousarray(rgb)
        cv2.putText(picture, name, (8, 24), cv2.FONT_HERSHEY_SIMPLEX, 0.7, (255, 255, 255), 2, cv2.LINE_AA)
        pictures.append(picture)
    rows = [np.concatenate(pictures[i : i + COLUMNS], 1) for i in range(0, len(pictures), COLUMNS)]
    return np.concatenate(rows)


def main() -> None:
    avatar, performance, out = map(Path, sys.argv[1:4])
    out.write_bytes(encode_png(sheet(load_avatar(avatar), Performance(performance))))


if __name__ == "__main__":
    main()

"""Finding the person's head in the film: a few frames are searched, in tiles where the face is small."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from numpy import ndarray

from locutor.capture.config import CaptureConfig
from locutor.capture.detect import Face, FaceLandmarker, face_height_px
from locutor.capture.framing import Framing, frame_head
from locutor.core.clock import FPS
from locutor.core.errors import FootageError
from locutor.media.video import VideoInfo, iterate_frames

N_SAMPLE_FRAMES = 16
SECOND_FACE = 0.6  # a second face this large beside the first makes the film ambiguous
_TILES = (1.0, 0.5)  # side of the search tiles in shorter sides of the picture
_FEW_TILED = 6  # sample frames to search in tiles: the detector sees faces of a tenth of its picture, tiles are slow
_UNKNOWN_S = 10.0


def choose_framing(film: Path, info: VideoInfo, landmarker: FaceLandmarker, config: CaptureConfig) -> Framing:
    """The square around the head, from frames spread over the film.

    Raises:
        FootageError: no face, two faces, or a face that is too small.
    """
    sample = list(_sample(film, info, config))
    found = [landmarker.detect(rgb) for rgb in sample]
    if not any(found):
        found = [_detect_in_tiles(landmarker, rgb) for rgb in sample[:: -(-len(sample) // _FEW_TILED)]]
    with_face = [faces for faces in found if faces]
    if not with_face:
        raise FootageError(
            f"no face was found in {film}", "use a film that shows one person's face from the front, well lit"
        )
    ambiguous = sum(second_share(faces) > SECOND_FACE for faces in with_face)
    if ambiguous > len(with_face) / 4:
        raise FootageError(
            f"{film} shows two faces of similar size",
            "use a film, or a part of it (--start, --end), with one person",
        )
    return frame_head([faces[0].landmarks for faces in with_face], info.width, info.height, config.size)


def second_share(faces: list[Face]) -> float:
    """Height of the second face in heights of the first; 0 if there is none."""
    if len(faces) < 2:
        return 0.0
    return face_height_px(faces[1].landmarks) / max(face_height_px(faces[0].landmarks), 1e-6)


def _sample(film: Path, info: VideoInfo, config: CaptureConfig) -> Iterator[UInt8[ndarray, "H W 3"]]:
    """Frames spread evenly over the part of the film; each is sought, so long films are not decoded for it."""
    end_s = config.end_s or info.duration_s or config.start_s + _UNKNOWN_S
    for start_s in np.linspace(config.start_s, end_s, N_SAMPLE_FRAMES, endpoint=False):
        yield from iterate_frames(film, start_s=float(start_s), end_s=float(start_s) + 1 / FPS)


def _detect_in_tiles(landmarker: FaceLandmarker, rgb: UInt8[ndarray, "H W 3"]) -> list[Face]:
    height, width = rgb.shape[:2]
    for share in _TILES:
        side = max(16, round(share * min(height, width)))
        found: list[Face] = []
        for top in _starts(height, side):
            for left in _starts(width, side):
                faces = landmarker.detect(rgb[top : top + side, left : left + side])
                shift = np.array([left, top, 0], np.float32)
                _add_new(found, [Face(face.landmarks + shift, face.blendshapes) for face in faces])
        if found:
            return sorted(found, key=lambda face: -face_height_px(face.landmarks))
    return []


def _starts(length: int, side: int) -> list[int]:
    """Tiles that overlap by at least half."""
    n = max(1, -(-2 * (length - side) // side) + 1)
    return [round(i * (length - side) / max(n - 1, 1)) for i in range(n)]


def _add_new(found: list[Face], faces: list[Face]) -> None:
    """Overlapping tiles see the same face twice."""
    for face in faces:
        middle = face.landmarks[:, :2].mean(0)
        near = (np.linalg.norm(middle - other.landmarks[:, :2].mean(0)) for other in found)
        if all(distance > 0.5 * face_height_px(face.landmarks) for distance in near):
            found.append(face)

"""Whether camera and background stand still."""

from pathlib import Path

import cv2
import numpy as np

from locutor.capture.background import BackgroundFigures, check_background
from locutor.capture.image_store import ImageStore, ImageStoreWriter

SIZE, N = 192, 40


def scene() -> np.ndarray:
    noise = np.random.default_rng(0).normal(0, 1, (SIZE + 40, SIZE + 40)).astype(np.float32)
    return np.clip(128 + 40 * noise / 1.5 * 1.0, 0, 255).astype(np.uint8)


def judged(folder: Path, shift_px: float = 0.0, light: float = 0.0) -> BackgroundFigures:
    """A person (a grey disc) before a wall that a camera pans over, or whose light changes."""
    wall = cv2.GaussianBlur(scene(), (0, 0), 1.5)
    rows, columns = np.mgrid[:SIZE, :SIZE]
    with (
        ImageStoreWriter(folder / "f.images", lossless=True) as frames,
        ImageStoreWriter(folder / "m.images", lossless=True) as mattes,
    ):
        for k in range(N):
            move = np.array([[1, 0, -20 - shift_px * np.sin(k / 6)], [0, 1, -20]])
            picture = cv2.warpAffine(wall, move, (SIZE, SIZE)).astype(np.float64)
            picture[:, : SIZE // 3] += light * np.sin(k / 6)
            person = (columns - 96 - 5 * np.sin(k)) ** 2 + (rows - 110) ** 2 < 40**2
            picture[person] = 90 + 20 * np.sin(k)
            frames.append(np.clip(picture, 0, 255).astype(np.uint8))
            mattes.append(person.astype(np.uint8) * 240)
    plate = np.zeros((SIZE, SIZE, 3), np.uint8)
    return check_background(ImageStore(folder / "f.images"), ImageStore(folder / "m.images"), plate)


def test_a_still_wall(tmp_path):
    figures = judged(tmp_path)
    assert not figures.camera_moves
    assert not figures.changes
    assert figures.camera_px < 0.1
    assert 0.7 < figures.free_share < 1


def test_a_moving_camera(tmp_path):
    figures = judged(tmp_path, shift_px=6.0)
    assert figures.camera_moves
    assert 4 < figures.camera_px < 13


def test_changing_light(tmp_path):
    figures = judged(tmp_path, light=40.0)
    assert not figures.camera_moves
    assert figures.changes
    assert 0.1 < figures.changing_share < 0.5

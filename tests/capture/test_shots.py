"""Cuts, gaps and stills, from rows as `observe` writes them."""

from pathlib import Path

import numpy as np
import pytest

from locutor.capture.image_store import ImageStore, ImageStoreWriter
from locutor.capture.likeness import likeness, mean_look
from locutor.capture.observe import ROW, THUMB, Observations, filled
from locutor.capture.shots import check_footage, find_cuts, longest_gap
from locutor.core.errors import FootageError

FILM = Path("film.mp4")


def observations(n: int = 100, jumps: tuple[int, ...] = (), moving: bool = True, seed: int = 0) -> Observations:
    """A slowly moving pattern that is another one after each jump."""
    rng = np.random.default_rng(seed)
    rows = np.zeros(n, ROW)
    rows["found"] = True
    base = rng.uniform(60, 200, (THUMB, THUMB))
    points = rng.uniform(100, 300, (478, 3))
    for k in range(n):
        if k in jumps:
            base = rng.uniform(60, 200, (THUMB, THUMB))
        drift = 4 * np.sin(k / 5) if moving else 0
        rows["thumb"][k] = np.clip(base + drift, 0, 255)
        rows["landmarks"][k] = points + (6 * np.sin(k / 6) if moving else 0)
    return Observations(rows)


@pytest.fixture
def check(tmp_path):
    """`check_footage` on a film whose pictures are never looked at."""
    with ImageStoreWriter(tmp_path / "none.images", lossless=True):
        pass
    frames = ImageStore(tmp_path / "none.images")
    return lambda seen: [event.message for event in check_footage(FILM, seen, [], frames)]


def test_cuts_are_found_and_motion_is_none():
    assert find_cuts(observations()) == []
    assert find_cuts(observations(jumps=(30, 71))) == [30, 71]


def test_flicker_is_no_cut():
    seen = observations()
    seen.rows["thumb"][::2] = np.clip(seen.rows["thumb"][::2].astype(int) + 30, 0, 255)
    assert find_cuts(seen) == []


def test_the_longest_gap():
    observed = np.ones(50, bool)
    assert longest_gap(observed) == (0, 0)
    observed[[3, 20, 21, 22, 40]] = False
    assert longest_gap(observed) == (20, 3)


def test_a_lost_face_is_told_with_its_place(check):
    seen = observations(600)
    seen.rows["found"][200:275] = False
    (note,) = check(seen)
    assert note.startswith("no face in 75 frames; the longest gap is 3.0 s at 8.0 s")


@pytest.mark.parametrize(
    ("seen", "message"),
    [
        (observations(50), "only 2.0 s long"),
        (observations(100, moving=False), "still picture"),
    ],
)
def test_what_cannot_be_used(check, seen, message):
    with pytest.raises(FootageError, match=message):
        check(seen)


def test_missing_frames_are_interpolated():
    values = np.arange(12, dtype=np.float32).reshape(6, 2)
    observed = np.array([False, True, True, False, True, False])
    broken = np.where(observed[:, None], values, np.float32(-9))
    expected = values.copy()
    expected[0], expected[5] = values[1], values[4]
    np.testing.assert_allclose(filled(broken, observed), expected)
    np.testing.assert_array_equal(broken[0], -9)  # the argument is left alone


def test_likeness_is_of_the_face_not_of_the_light():
    rng = np.random.default_rng(1)
    yx = np.mgrid[:128, :128]
    landmarks = np.zeros((478, 3), np.float32)
    places = {33: (26, 44), 133: (50, 46), 362: (78, 46), 263: (102, 44), 1: (64, 74), 61: (46, 94), 291: (82, 94)}
    places |= {152: (64, 126), 10: (64, 2)}
    for point, xy in places.items():
        landmarks[point, :2] = xy

    def face(seed: int) -> np.ndarray:
        noise = np.random.default_rng(seed).normal(0, 1, (32, 32))
        return 120 + 25 * np.kron(noise, np.ones((4, 4)))

    def look(picture: np.ndarray) -> np.ndarray:
        noisy = np.clip(picture + rng.normal(0, 3, picture.shape), 0, 255).astype(np.uint8)
        return mean_look([(noisy, landmarks)])

    lit = 0.7 * face(0) + 0.3 * yx[1]
    assert likeness(look(face(0)), look(lit)) > 0.9
    assert likeness(look(face(0)), look(face(5))) < 0.4

from importlib import resources
from itertools import islice

import numpy as np
import pytest

from locutor.capture.performance import TRACKING, Tracking
from locutor.core.errors import ModelFileError
from locutor.evaluate.metrics import correlation
from locutor.evaluate.metrics import lip_gap as mediapipe_gap
from locutor.evaluate.openseeface import (
    N_POINTS,
    OUTER_EYES,
    OpenSeeFace,
    distance_percent,
    lip_gap,
    mouth_distance_percent,
)
from locutor.media.video import iterate_frames


def face(scale: float = 1.0) -> np.ndarray:
    points = np.random.default_rng(0).normal(size=(4, N_POINTS, 2))
    points[:, OUTER_EYES[0]], points[:, OUTER_EYES[1]] = (0, 0), (10, 0)
    return scale * points


def test_distances_are_shares_of_the_eyes_distance():
    moved = face() + [0.3, 0.4]
    np.testing.assert_allclose(distance_percent(face(), moved), 5)
    np.testing.assert_allclose(distance_percent(face(3), 3 * moved), 5)
    np.testing.assert_allclose(mouth_distance_percent(face(), moved), 0, atol=1e-9)  # each about its own middle
    np.testing.assert_allclose(lip_gap(face()), lip_gap(face(7)))


def test_without_the_networks_it_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("LOCUTOR_MODELS", str(tmp_path))
    with pytest.raises(ModelFileError, match="OpenSeeFace"):
        OpenSeeFace()


@pytest.mark.real
def test_it_finds_the_embedded_performer(models_dir):
    if not (models_dir / "openseeface").is_dir():
        pytest.skip("no OpenSeeFace")
    landmarker, n = OpenSeeFace(), 50
    with resources.as_file(resources.files("locutor.actors") / "embedded") as folder:
        found = np.stack([landmarker.step(rgb) for rgb in islice(iterate_frames(folder / "video.mp4"), n)])
        tracked = Tracking.load(folder / TRACKING).landmarks[:n]
    assert np.linalg.norm(found[:, OUTER_EYES[0]] - tracked[:, 33, :2], axis=1).mean() < 5
    assert np.linalg.norm(found[:, OUTER_EYES[1]] - tracked[:, 263, :2], axis=1).mean() < 5
    assert correlation(mediapipe_gap(tracked), lip_gap(found)) > 0.7
    landmarker.restart()
    assert np.isnan(landmarker.step(np.full((256, 256, 3), 90, np.uint8))).all()

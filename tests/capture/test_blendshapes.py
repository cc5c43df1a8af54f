"""Corrected blendshapes: the person's rest is taken out, blinks and jaw follow the shape."""

import numpy as np

from locutor.capture.blendshapes import MEDIAPIPE_NAMES, corrected_blendshapes, eye_closing
from locutor.core.arkit import ARKIT_NAMES

EYES = {"Right": (33, 160, 158, 133, 153, 144), "Left": (263, 387, 385, 362, 380, 373)}


def clip(n: int = 300) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Raw coefficients with a bias and noise, landmarks that show the truth, true blink and true jaw."""
    rng = np.random.default_rng(0)
    t = np.arange(n)
    blink = np.clip(1 - np.abs((t % 60) - 30) / 4, 0, 1)
    jaw = np.clip(np.sin(t / 5), 0, 1) * 0.5
    raw = rng.uniform(0, 0.02, (n, 52)) + 0.3
    column = [MEDIAPIPE_NAMES.index(name) for name in ("eyeBlinkLeft", "eyeBlinkRight")]
    raw[:, column] = (0.15 + 0.5 * blink + rng.normal(0, 0.05, n))[:, None]
    raw[:, MEDIAPIPE_NAMES.index("jawOpen")] = 0.05 + 0.6 * jaw + rng.normal(0, 0.05, n)
    points = np.zeros((n, 478, 3))
    for points_of_eye in EYES.values():
        above_a, above_b, inner, below_b, below_a = points_of_eye[1:]
        points[:, inner, 0] = 0.3
        points[:, above_a, 0] = points[:, below_a, 0] = 0.1
        points[:, above_b, 0] = points[:, below_b, 0] = 0.2
        for point in (above_a, above_b):
            points[:, point, 1] = -0.1 * (1 - blink)
    points[:, (152, 175, 199), 1] = 1 + 0.2 * jaw[:, None]
    points[:, 14, 1] = 0.3 * jaw
    points[:, 17, 1] = 0.3 * jaw + 0.1
    return raw.astype(np.float32), points, blink, jaw


def test_rest_is_zero_and_signs_are_kept():
    raw, points, blink, jaw = clip()
    corrected = corrected_blendshapes(raw, points, np.ones(len(raw), bool))
    assert corrected.dtype == np.float32
    assert not corrected[:, ARKIT_NAMES.index("tongueOut")].any()  # MediaPipe does not look for it
    assert corrected.min() >= 0
    assert corrected.max() <= 1
    assert corrected[:, ARKIT_NAMES.index("cheekPuff")].max() < 0.05  # it never moved
    for name, truth in (("eyeBlinkLeft", blink), ("eyeBlinkRight", blink), ("jawOpen", jaw)):
        column, before = ARKIT_NAMES.index(name), MEDIAPIPE_NAMES.index(name)
        assert np.corrcoef(corrected[:, column], truth)[0, 1] > np.corrcoef(raw[:, before], truth)[0, 1]
        assert np.corrcoef(corrected[:, column], truth)[0, 1] > 0.95
        assert np.median(corrected[truth == 0, column]) < 0.12


def test_an_eye_that_never_closes_is_not_stretched_to_a_blink():
    n = 100
    eye = np.zeros((n, 6, 3))
    eye[:, 3, 0] = 0.3
    eye[:, [1, 2], 1] = -0.1 + 0.003 * np.sin(np.arange(n))[:, None]
    assert eye_closing(eye, np.ones(n, bool)).max() < 0.1


def test_frames_without_a_face_do_not_count():
    raw, points, _, _ = clip()
    observed = np.ones(len(raw), bool)
    observed[:40] = False
    spoilt = raw.copy()
    spoilt[:40] = 0
    a, b = corrected_blendshapes(raw, points, observed), corrected_blendshapes(spoilt, points, observed)
    np.testing.assert_allclose(a[40:], b[40:], atol=1e-6)


def test_lips_that_round_are_not_a_jaw_that_opens():
    raw, points, _, jaw = clip()
    rounded = np.clip(np.sin(np.arange(len(raw)) / 3), 0, 1)
    points[:, 17, 1] += 0.1 * rounded  # the lower lip swells
    points[:, [152, 175, 199], 1] += 0.05 * rounded[:, None]  # and pushes the chin
    found = corrected_blendshapes(raw, points, np.ones(len(raw), bool))[:, ARKIT_NAMES.index("jawOpen")]
    assert np.corrcoef(found, jaw)[0, 1] > np.corrcoef(points[:, 152, 1], jaw)[0, 1] + 0.02

"""A hand before the face is seen; darkness, a small shift and a face that is lost are no hand."""

import cv2
import numpy as np
import pytest

from locutor.capture.covered import alike_share, covered_frames, patch_looks

RNG = np.random.default_rng(4)
SKIN = cv2.GaussianBlur(RNG.integers(0, 255, (200, 200)).astype(np.uint8), (0, 0), 2.0)
PLACES = RNG.uniform(30, 170, (40, 2))
KEY = patch_looks(SKIN, PLACES)


@pytest.mark.parametrize(
    ("frame", "places"),
    [
        (SKIN, PLACES),
        ((0.5 * SKIN + 20).astype(np.uint8), PLACES),
        (np.roll(SKIN, (3, -2), (0, 1)), PLACES + (-2, 3)),
    ],
)
def test_the_same_skin_looks_alike(frame, places):
    assert alike_share(KEY, patch_looks(frame, places)) == 1


def test_what_is_hidden_does_not_look_alike():
    frame = SKIN.copy()
    frame[:100] = 128
    hidden, seen = (PLACES[:, 1] < 85).mean(), (PLACES[:, 1] > 115).mean()  # a patch reaches ten pixels
    assert seen <= alike_share(KEY, patch_looks(frame, PLACES)) <= 1 - hidden
    assert min(hidden, seen) > 0.2
    assert alike_share(KEY, patch_looks(np.full_like(SKIN, 99), PLACES)) == 0


def test_patches_beyond_the_border_are_made_of_the_border():
    assert np.isfinite(patch_looks(SKIN, np.array([[-50.0, -50], [199, 199]]))).all()


def test_frames_are_covered_where_far_less_than_usual_is_alike():
    alike, observed = np.full(100, 0.7), np.ones(100, bool)
    alike[20:40], alike[60:70], alike[80:90] = 0.4, 0.2, 0.0
    observed[80:90] = False
    covered = covered_frames(alike, observed)
    assert np.flatnonzero(covered).tolist() == list(range(60, 70))
    assert not covered_frames(alike, ~observed & False).any()

import numpy as np

from locutor.capture.gaze import _EYES, EYE_WIDTH_TO_RADIUS, gaze_turns

N = 60


def looking(turns: np.ndarray, opening: np.ndarray) -> np.ndarray:
    """Landmarks of two eyes of width .3 that look there."""
    points = np.zeros((len(turns), 478, 3))
    for (iris, outer, inner, upper, lower), side in zip(_EYES, (-1, 1), strict=True):
        points[:, outer, 0], points[:, inner, 0] = side * 0.5, side * 0.2
        points[:, iris, :2] = [side * 0.35, 0.0] + np.sin(turns) * 0.3 / EYE_WIDTH_TO_RADIUS
        points[:, upper, 1], points[:, lower, 1] = -opening / 2, opening / 2
    return points


def test_turns_are_found_against_the_usual_gaze():
    t = np.arange(N)
    turns = np.stack([0.2 * np.sin(t / 5), 0.1 * np.cos(t / 4)], 1)
    found = gaze_turns(looking(turns, np.full(N, 0.1)), np.ones(N, bool))
    np.testing.assert_allclose(found, turns - np.median(turns, axis=0), atol=1e-5)


def test_blinks_and_lost_frames_are_bridged():
    turns, opening, observed = np.zeros((N, 2)), np.full(N, 0.1), np.ones(N, bool)
    turns[20:23], opening[20:23] = 0.8, 0.01  # a lid is no iris
    turns[40:44], observed[40:44] = -0.9, False
    np.testing.assert_allclose(gaze_turns(looking(turns, opening), observed), 0, atol=1e-5)

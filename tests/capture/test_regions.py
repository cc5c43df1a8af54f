import numpy as np
from tests.synthetic.performer import SIZE, take, true_landmarks

from locutor.capture.regions import find_regions
from locutor.core.face import EYE_LEFT, EYE_RIGHT, LIPS


def inside(points: np.ndarray, boxes: np.ndarray) -> bool:
    low, high = boxes[:, None, :2], boxes[:, None, 2:]
    return bool(((points >= low - 1) & (points <= high + 1)).all())


def test_boxes_hold_their_points_with_a_margin():
    landmarks = true_landmarks(take())[:10]
    regions = find_regions(landmarks, SIZE)
    xy = landmarks[..., :2]
    assert inside(xy[:, list(LIPS)], regions.mouth)
    assert inside(xy[:, list(EYE_RIGHT)], regions.eye_right)
    assert inside(xy[:, list(EYE_LEFT)], regions.eye_left)
    assert inside(xy, regions.face)
    width = np.ptp(xy[:, list(LIPS), 0], axis=1)
    np.testing.assert_allclose(np.diff(regions.mouth[:, [0, 2]])[:, 0], 1.7 * width, atol=1.5)


def test_boxes_stay_in_the_picture():
    landmarks = true_landmarks(take())[:3] + np.float32([90, 100, 0])
    for boxes in vars(find_regions(landmarks, SIZE)).values():
        assert boxes.min() >= 0
        assert boxes.max() <= SIZE

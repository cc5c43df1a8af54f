from itertools import islice

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from locutor.capture.performance import Performance
from locutor.capture.regions import find_regions
from locutor.core.face import FACE_POINTS, LID_PAIRS, LIP_GAP_ROWS
from locutor.fit.config import TrainConfig
from locutor.fit.frame_feed import BLINK_SHARE, MOST_VISITS, feed_frames, frame_order, visits


def once(n: int) -> np.ndarray:
    return np.ones(n, np.int64)


def counts_of(performance: Performance) -> np.ndarray:
    return visits(performance.tracking.motion[: performance.n_train].face)


def blinking(n: int, closed: list[int]) -> np.ndarray:
    """Faces at rest, lids together in some frames; the mouth moves a little."""
    face = np.zeros((n, 120, 2), np.float32)
    face[:, LIP_GAP_ROWS[1], 1] = 0.1 + 0.02 * np.sin(np.arange(n))
    for up, low in (*LID_PAIRS[0], *LID_PAIRS[1]):
        face[closed, FACE_POINTS.index(up), 1] = 0.05
        face[closed, FACE_POINTS.index(low), 1] = -0.04
    return face


def test_blinks_come_more_often():
    closed = [100, 101, 300, 301, 302]
    counts = visits(blinking(400, closed))
    assert (counts[closed] == round(BLINK_SHARE * 400 / len(closed))).all()
    assert np.median(counts) == 1
    assert visits(blinking(400, [100]))[100] == MOST_VISITS


def test_the_widest_and_the_most_closed_mouths_come_twice():
    face = blinking(200, [])
    face[[20, 21], LIP_GAP_ROWS[1], 1] = (0.5, -0.1)
    counts = visits(face)
    assert (counts[[20, 21]] == 2).all()
    assert set(counts) == {1, 2}
    assert (counts == 2).mean() < 0.06


def test_an_epoch_shows_each_frame_as_often_as_it_counts():
    counts = np.array([1, 3, 2])
    order = list(frame_order(counts, 0, 0, 12))
    assert np.bincount(order[:6]).tolist() == np.bincount(order[6:]).tolist() == [1, 3, 2]


@given(st.integers(1, 40), st.integers(0, 5), st.integers(1, 4))
def test_each_epoch_covers_every_frame_once(n_train, seed, n_epochs):
    order = list(frame_order(once(n_train), seed, 0, n_epochs * n_train))
    for epoch in range(n_epochs):
        assert sorted(order[epoch * n_train : (epoch + 1) * n_train]) == list(range(n_train))


@given(st.integers(1, 40), st.integers(0, 5), st.integers(0, 150))
def test_a_resume_sees_the_same_frames(n_train, seed, start):
    counts = 1 + np.arange(n_train) % 3
    assert list(frame_order(counts, seed, start, 150)) == list(frame_order(counts, seed, 0, 150))[start:]


def test_epochs_and_seeds_differ():
    order = list(frame_order(once(50), 0, 0, 100))
    assert order[:50] != order[50:]
    assert order[:50] != list(frame_order(once(50), 1, 0, 50))
    assert order[:50] != sorted(order[:50])


def test_the_feed_gives_the_frames_of_the_order_and_ends(performance: Performance):
    config = TrainConfig(n_iterations=130, seed=4)
    fed = list(feed_frames(performance, config, start=110))
    assert [frame.k for frame in fed] == list(frame_order(counts_of(performance), 4, 110, 130))
    for frame in fed[::7]:
        np.testing.assert_array_equal(frame.target.numpy(), performance.frames.rgb(frame.k))


def test_held_out_frames_are_never_fed(performance: Performance):
    assert max(frame_order(counts_of(performance), 0, 0, 1000)) == performance.n_train - 1 < len(performance) - 1


def test_mouth_and_eyes_count_more(performance: Performance):
    config = TrainConfig(n_iterations=3, mouth_weight=3.0, eye_weight=2.0)
    frame = next(islice(feed_frames(performance, config, 0), 1))
    weight = frame.weight.numpy()
    regions = find_regions(performance.tracking.landmarks, performance.camera.width)
    for box, inside in ((regions.mouth, 3), (regions.eye_right, 2), (regions.eye_left, 2)):
        left, top, right, bottom = box[frame.k]
        assert weight[(top + bottom) // 2, (left + right) // 2] == inside
    assert weight[0, 0] == 1
    assert weight.min() == 1


def test_a_feed_that_is_left_half_way_stops_its_thread(performance: Performance):
    feed = feed_frames(performance, TrainConfig(n_iterations=1000), 0)
    next(feed)
    feed.close()

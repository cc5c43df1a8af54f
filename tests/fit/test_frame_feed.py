import copy
import dataclasses
from itertools import islice

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from locutor.capture.performance import Performance
from locutor.capture.regions import find_regions
from locutor.core.face import FACE_POINTS, LID_PAIRS, LIP_GAP_ROWS
from locutor.evaluate.pictures import gradient_energy
from locutor.fit.config import TrainConfig
from locutor.fit.frame_feed import (
    BLINK_SHARE,
    MOST_VISITS,
    SHARPENED_FROM,
    feed_frames,
    frame_order,
    sharpened,
    visits,
)

ALL = np.ones(400, bool)


def once(n: int) -> np.ndarray:
    return np.ones(n, np.int64)


def frames(counts: np.ndarray, seed: int, start: int, end: int) -> list[int]:
    return [k for k, _ in frame_order(counts, seed, start, end)]


def counts_of(performance: Performance) -> np.ndarray:
    return visits(*performance.tracking.motion[: performance.n_train].require("face", "valid"))[0]


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
    counts, for_eyes = visits(blinking(400, closed), ALL)
    assert np.flatnonzero(for_eyes).tolist() == closed
    assert counts[closed].sum() == round(BLINK_SHARE * 400)
    assert np.ptp(counts[closed]) <= 1
    assert np.median(counts) == 1
    assert visits(blinking(400, [100]), ALL)[0][100] == MOST_VISITS


def test_frames_without_a_face_do_not_come():
    valid = ALL.copy()
    valid[95:110] = False  # their controls are made up: lids that seem closed, a mouth like none other
    face = blinking(400, [100, 300])
    face[105, LIP_GAP_ROWS[1], 1] = 0.5
    counts, for_eyes = visits(face, valid)
    assert (counts[95:110] == 0).all()
    assert np.flatnonzero(for_eyes).tolist() == [300]
    assert not {k for k, _ in frame_order(counts, 0, 0, 800)} & set(range(95, 110))


def test_blinks_that_are_frequent_come_once():
    closed = list(range(0, 400, 10))
    assert visits(blinking(400, closed), ALL)[0][closed].mean() < 1.2  # some are rare mouths


def test_the_widest_and_the_most_closed_mouths_come_twice():
    face = blinking(200, [])
    face[[20, 21], LIP_GAP_ROWS[1], 1] = (0.5, -0.1)
    counts, for_eyes = visits(face, ALL[:200])
    assert not for_eyes.any()
    assert (counts[[20, 21]] == 2).all()
    assert set(counts) == {1, 2}
    assert (counts == 2).mean() < 0.06


def test_an_epoch_shows_each_frame_as_often_as_it_counts():
    counts = np.array([1, 3, 2])
    order = frames(counts, 0, 0, 12)
    assert np.bincount(order[:6]).tolist() == np.bincount(order[6:]).tolist() == [1, 3, 2]


def test_the_first_visit_of_each_epoch_is_told_from_the_others():
    visited = list(frame_order(np.array([1, 3, 2]), 0, 0, 12))
    for epoch in (visited[:6], visited[6:]):
        seen = [k for k, _ in epoch]
        assert [again for _, again in epoch] == [k in seen[:i] for i, k in enumerate(seen)]


def test_a_blink_that_comes_again_is_for_the_eyes_alone(performance: Performance):
    closed = [40, 41]
    footage = copy.copy(performance)
    face = blinking(len(performance), closed)
    motion = performance.tracking.motion.with_channels(face=face)
    footage.tracking = dataclasses.replace(performance.tracking, motion=motion)
    counts, _ = visits(face[: performance.n_train], np.ones(performance.n_train, bool))
    fed = [f for f in feed_frames(footage, TrainConfig(n_iterations=int(counts.sum())), 0) if f.k in closed]
    for k in closed:
        weights = [f.weight for f in fed if f.k == k]
        assert [f.eyes_only for f in fed if f.k == k] == [False] + [True] * (len(weights) - 1)
        assert len(weights) > 1
        assert weights[0].min() == 1
        left, top, right, bottom = find_regions(performance.tracking.landmarks, performance.camera.width).eye_left[k]
        assert weights[1][(top + bottom) // 2, (left + right) // 2] > 0
        assert weights[1][0, 0] == 0


@given(st.integers(1, 40), st.integers(0, 5), st.integers(1, 4))
def test_each_epoch_covers_every_frame_once(n_train, seed, n_epochs):
    order = frames(once(n_train), seed, 0, n_epochs * n_train)
    for epoch in range(n_epochs):
        assert sorted(order[epoch * n_train : (epoch + 1) * n_train]) == list(range(n_train))


@given(st.integers(1, 40), st.integers(0, 5), st.integers(0, 150))
def test_a_resume_sees_the_same_frames(n_train, seed, start):
    counts = 1 + np.arange(n_train) % 3
    assert list(frame_order(counts, seed, start, 150)) == list(frame_order(counts, seed, 0, 150))[start:]


def test_epochs_and_seeds_differ():
    order = frames(once(50), 0, 0, 100)
    assert order[:50] != order[50:]
    assert order[:50] != frames(once(50), 1, 0, 50)
    assert order[:50] != sorted(order[:50])


def test_the_feed_gives_the_frames_of_the_order_and_ends(performance: Performance):
    config = TrainConfig(n_iterations=130, seed=4)
    fed = list(feed_frames(performance, config, start=90))
    assert [frame.k for frame in fed] == frames(counts_of(performance), 4, 90, 130)
    for frame in fed[:20:7]:
        np.testing.assert_array_equal(frame.target.numpy(), performance.frames.rgb(frame.k))


def test_the_last_pictures_are_sharpened_also_after_a_resume(performance: Performance):
    config = TrainConfig(n_iterations=100)
    first = round(SHARPENED_FROM * 100)
    mouths = find_regions(performance.tracking.landmarks, performance.camera.width).mouth
    for start in (0, first - 3):
        late = list(feed_frames(performance, config, start))[first - start :]
        assert len(late) == 100 - first
        for frame in late[::5]:
            picture, target = performance.frames.rgb(frame.k), frame.target.numpy()
            assert gradient_energy(target).sum() > 1.05 * gradient_energy(picture).sum()
            assert abs(target.mean() - picture.mean()) < 0.5
            left, top, right, bottom = mouths[frame.k]
            np.testing.assert_array_equal(target[top:bottom, left:right], picture[top:bottom, left:right])


def test_a_flat_picture_has_nothing_to_sharpen():
    flat = np.full((64, 64, 3), 90, np.uint8)
    np.testing.assert_array_equal(sharpened(flat, np.array([10, 20, 30, 40])), flat)


def test_held_out_frames_are_never_fed(performance: Performance):
    assert max(frames(counts_of(performance), 0, 0, 1000)) == performance.n_train - 1 < len(performance) - 1


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

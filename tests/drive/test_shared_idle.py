import numpy as np
import pytest

from locutor.drive.idle import IdleDriver
from locutor.drive.idle_model import fit_idle
from locutor.drive.shared_idle import BLOCK, KEPT_BLOCKS, SharedIdle


@pytest.fixture(scope="module")
def model(speaker):
    return fit_idle(speaker.motion, speaker.neutral)


def walked(shared: SharedIdle, place, steps: list[int]):
    parts = []
    for n in steps:
        place, motion = shared.step(place, n)
        parts.append(motion.head_xyz)
    return place, np.concatenate(parts)


def test_it_is_the_walk_of_the_idle_driver(model):
    shared = SharedIdle(model, n_walks=3)
    _, motion = shared.step(shared.init(4), 60)
    np.testing.assert_array_equal(motion.face, IdleDriver(model).step(IdleDriver(model).init(1), 60)[1].face)


def test_any_pieces_and_going_back(model):
    shared = SharedIdle(model, n_walks=1)
    start = shared.init(0)
    _, whole = walked(shared, start, [130])
    _, pieces = walked(shared, start, [1, 24, 26, 0, 50, 29])
    np.testing.assert_array_equal(pieces, whole)
    assert shared.step(start, 0)[1].head_xyz.shape == (0, 3)


def test_sessions_join_where_the_walk_is(model):
    shared = SharedIdle(model, n_walks=2)
    first, _ = walked(shared, shared.init(0), [60])
    second = shared.init(2)
    assert first.frame - BLOCK <= second.frame <= first.frame + BLOCK
    assert shared.init(1).frame == 0


def test_memory_ends(model):
    shared = SharedIdle(model, n_walks=1)
    place = behind = shared.init(0)
    for _ in range(2 * KEPT_BLOCKS):
        place, _ = shared.step(place, BLOCK)
    assert len(shared._walks[0].blocks) == KEPT_BLOCKS
    behind, motion = shared.step(behind, 10)
    assert len(motion) == 10
    assert behind.frame == BLOCK * KEPT_BLOCKS + 10

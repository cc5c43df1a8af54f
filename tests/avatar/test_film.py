"""Many frames against one by one."""

from itertools import repeat
from typing import ClassVar

import numpy as np
import pytest
import torch
from tests.synthetic.performer import true_avatar

from locutor.avatar import film as film_module
from locutor.avatar.avatar import Avatar
from locutor.avatar.film import BATCH, film
from locutor.capture.performance import Performance
from locutor.core.errors import FormatError, MissingPartError
from locutor.core.motion import Motion
from locutor.splat.engine import Engine, default_engine


@pytest.fixture(scope="module")
def avatar() -> Avatar:
    return true_avatar()


@pytest.fixture(scope="module")
def motion(performance: Performance) -> Motion:
    return performance.tracking.motion[:23]


@pytest.mark.parametrize("threads", [1, 3])
def test_the_pictures_are_those_of_render_to_the_byte(monkeypatch, avatar, motion, threads) -> None:
    """Pieces of any length, empty ones among them, and any number of threads."""
    engine = Engine(threads, default_engine().isa)
    monkeypatch.setattr(film_module, "default_engine", lambda: engine)
    pictures = list(film(avatar, [motion[0:1], motion[1:9], motion[9:9], motion[9:23]]))
    assert len(pictures) == 23
    for k in range(23):
        np.testing.assert_array_equal(pictures[k], avatar.render(motion[k : k + 1]))
    assert not np.array_equal(pictures[0], pictures[12])


def test_motion_without_end_can_be_drawn(avatar, motion) -> None:
    pictures = film(avatar, repeat(motion[:1]))
    first = next(pictures)
    assert all(np.array_equal(first, next(pictures)) for _ in range(5))
    pictures.close()


def test_a_missing_channel_is_named(avatar, motion) -> None:
    with pytest.raises(FormatError, match="torso_wxyz"):
        list(film(avatar, [motion.with_channels(torso_wxyz=None)]))


@pytest.mark.skipif(torch.cuda.is_available(), reason="for machines without a CUDA device")
def test_a_gpu_that_is_not_there_is_said_to_be_missing(avatar, motion) -> None:
    with pytest.raises(MissingPartError, match="no CUDA device"):
        next(film(avatar, [motion], device="cuda"))


class ShowsCoefficients:
    """In the place of `CudaRenderer`: each picture is the first coefficient of its frame."""

    sizes: ClassVar[list[int]] = []

    def __init__(self, *_) -> None:
        self.sizes.clear()

    def render_many(self, coefficients, poses):
        self.sizes.append(len(poses))
        return np.stack([picture_of(c) for c in coefficients])


def picture_of(coefficients) -> np.ndarray:
    return np.full((4, 4, 3), int(50 * coefficients[0].abs()) % 255, np.uint8)


def test_a_gpu_gets_batches_in_order(monkeypatch, avatar, performance: Performance) -> None:
    monkeypatch.setattr(film_module, "require_cuda", lambda: None)
    monkeypatch.setattr(film_module, "CudaRenderer", ShowsCoefficients)
    motion = performance.tracking.motion[: BATCH + 7]
    pictures = list(film(avatar, [motion[:5], motion[5:]], device="cuda"))
    assert ShowsCoefficients.sizes == [BATCH, 7]
    expected = [picture_of(avatar.coefficients(motion[k : k + 1])[0]) for k in range(BATCH + 7)]
    np.testing.assert_array_equal(np.stack(pictures), np.stack(expected))
    assert len({int(picture[0, 0, 0]) for picture in pictures}) > 5

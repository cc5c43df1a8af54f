"""The light of footage is found again in pictures that the avatar itself drew in a light that drifts."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from locutor.avatar.avatar import Avatar
from locutor.avatar.film import film
from locutor.avatar.footage import Footage
from locutor.avatar.light import film_in_light, fit_light
from locutor.capture.performance import Performance
from locutor.core.events import Progress
from locutor.core.motion import Motion
from locutor.fit.pose_refinement import footage_from

N = 20
FRAMES = np.arange(50, 50 + N)


@pytest.fixture(scope="module")
def motion(performance: Performance) -> Motion:
    return performance.tracking.motion[50 : 50 + N]


@pytest.fixture(scope="module")
def drifting() -> np.ndarray:
    """Gains that move by a few per cent in a second, each colour in its own way."""
    t = np.linspace(0, 1, N)
    return np.stack([0.95 + 0.03 * t, 1 + 0.015 * np.sin(3 * t), 1.03 - 0.03 * t], 1)


def drawn_in(avatar: Avatar, motion: Motion, gains: np.ndarray) -> list[np.ndarray]:
    """Frame by frame, an avatar whose Gaussians are brighter."""
    pictures = []
    for k, gain in enumerate(gains):
        colors = avatar.canonical.colors * torch.from_numpy(gain.astype(np.float32))
        brighter = replace(avatar, canonical=replace(avatar.canonical, colors=colors))
        pictures.append(brighter.render(motion[k : k + 1]))
    return pictures


def seen_in(performance: Performance, pictures: list[np.ndarray]) -> Footage:
    return replace(footage_from(performance, FRAMES), rgb=pictures.__getitem__)


def found(avatar: Avatar, motion: Motion, footage: Footage) -> np.ndarray:
    search, events = fit_light(avatar, motion, footage), []
    while True:
        try:
            events.append(next(search))
        except StopIteration as end:
            assert isinstance(events[-1], Progress)
            assert events[-1].done == events[-1].total == len(motion)
            return end.value


def test_a_drifting_light_is_found(
    performance: Performance, speaking_avatar: Avatar, motion: Motion, drifting: np.ndarray
):
    pictures = drawn_in(speaking_avatar, motion, drifting)
    np.testing.assert_allclose(found(speaking_avatar, motion, seen_in(performance, pictures)), drifting, atol=0.006)


def test_a_steady_light_stays(performance: Performance, speaking_avatar: Avatar, motion: Motion):
    pictures = list(film(speaking_avatar, [motion]))
    np.testing.assert_allclose(found(speaking_avatar, motion, seen_in(performance, pictures)), 1, atol=1e-9)


def test_the_mouth_does_not_tell_the_light(performance: Performance, speaking_avatar: Avatar, motion: Motion):
    footage = seen_in(performance, [])
    spoilt = list(film(speaking_avatar, [motion]))
    for k, picture in enumerate(spoilt):
        picture[footage.hidden(k)] = 255
    gains = found(speaking_avatar, motion, replace(footage, rgb=spoilt.__getitem__))
    np.testing.assert_allclose(gains, 1, atol=1e-9)


def test_pictures_are_drawn_in_the_light(speaking_avatar: Avatar, motion: Motion, drifting: np.ndarray):
    exact = drawn_in(speaking_avatar, motion, drifting)
    lit = list(film_in_light(speaking_avatar, motion, drifting))
    assert max(np.abs(a.astype(int) - b).max() for a, b in zip(exact, lit, strict=True)) <= 2
    same = list(film_in_light(speaking_avatar, motion, np.ones((N, 3))))
    np.testing.assert_array_equal(same, list(film(speaking_avatar, [motion])))


def test_the_plate_has_its_own_light(speaking_avatar: Avatar, motion: Motion):
    lit = next(film_in_light(speaking_avatar, motion, np.full((N, 3), 1.5)))
    np.testing.assert_array_equal(lit[:20, :20], speaking_avatar.plate[:20, :20])


def test_one_frame_is_enough(performance: Performance, speaking_avatar: Avatar, motion: Motion):
    pictures = drawn_in(speaking_avatar, motion[:1], np.full((1, 3), 0.9))
    gains = found(speaking_avatar, motion[:1], seen_in(performance, pictures))
    np.testing.assert_allclose(gains, 0.9, atol=0.01)

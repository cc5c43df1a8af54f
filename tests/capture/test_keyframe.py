"""Patches of a keyframe found again, and landmarks in their place where they are not."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from locutor.capture.follow import follow_points
from locutor.capture.keyframe import (
    LANDMARK_TRUST,
    Sighting,
    keyframes,
    own_depths,
    patch_depths,
    without_scale,
)
from locutor.capture.mean_face import MEAN_RIGID, with_mean_depth
from locutor.capture.track import RigidTrack
from locutor.core.camera import Camera
from locutor.core.face import RIGID

N = 12
GRID = np.stack(np.meshgrid(np.linspace(60, 140, 4), np.linspace(60, 140, 4)), -1).reshape(-1, 2)


def shifted(rng_seed: int, shifts: np.ndarray) -> list[np.ndarray]:
    """A cloudy picture moved by so many px."""
    noise = np.random.default_rng(rng_seed).uniform(0, 255, (200, 200)).astype(np.float32)
    picture = cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 2), None, 0, 255, cv2.NORM_MINMAX)
    moves = [np.array([[1, 0, x], [0, 1, y]]) for x, y in shifts]
    return [cv2.warpAffine(picture, M, (200, 200), borderMode=cv2.BORDER_REFLECT).astype(np.uint8) for M in moves]


def find_again(frames: list[np.ndarray], expected: np.ndarray, key_frames: list[int], cuts: list[int]) -> Sighting:
    return follow_points(frames.__getitem__, expected, np.arange(4), key_frames, cuts)[1]


def track(w: np.ndarray) -> RigidTrack:
    return RigidTrack(np.eye(3), w, np.tile([0.0, 0, 10], (len(w), 1)), np.zeros((4, 3)), np.ones(4))


def test_patches_are_found_far_from_where_the_search_starts_and_without_drift():
    shifts = np.stack([np.linspace(0, 4, N), np.linspace(3, 0, N)], 1)
    frames = shifted(0, shifts)
    expected = np.tile(GRID, (N, 1, 1))  # the track believes that nothing moves
    seen = find_again(frames, expected, [0], [])
    assert seen.found.all()
    np.testing.assert_allclose(seen.px - GRID, np.tile((shifts - shifts[0])[:, None], (1, len(GRID), 1)), atol=0.1)


def test_what_is_hidden_is_not_found():
    frames = shifted(1, np.zeros((N, 2)))
    frames[5] = shifted(2, np.zeros((1, 2)))[0]  # something else altogether
    expected = np.tile(GRID, (N, 1, 1))
    seen = find_again(frames, expected, [0], [])
    assert seen.found[5].mean() < 0.2
    assert seen.found[[4, 6]].all()
    np.testing.assert_array_equal(seen.px[5][~seen.found[5]], expected[5][~seen.found[5]])


def test_each_shot_has_its_own_keyframe():
    frames = shifted(3, np.zeros((6, 2))) + shifted(4, np.zeros((6, 2)))
    expected = np.tile(GRID, (N, 1, 1))
    assert find_again(frames, expected, [0, 6], [6]).found.all()
    assert not find_again(frames, expected, [0, 0], [6]).found[6:].all(1).any()


def test_keyframes_show_a_face_in_the_mean_pose_of_their_shot():
    w = np.zeros((N, 3))
    w[:6, 1] = [-0.3, -0.1, 0.0, 0.1, 0.3, 0.0]
    w[6:, 1] = 1 + np.array([-0.2, 0.0, 0.2, 0.0, -0.1, 0.1])
    observed = np.ones(N, bool)
    observed[[2, 7]] = False
    assert keyframes(track(w), observed, [6]) == [5, 9]


def test_landmarks_stand_in_without_a_step():
    px, landmarks = np.tile(GRID, (N, 1, 1)), np.tile(GRID + [2.0, -1.0], (N, 1, 1))
    found = np.ones((N, len(GRID)), bool)
    found[4] = False
    found[:, 3] = False  # never
    observed = np.ones(N, bool)
    observed[9] = False
    where, trust = Sighting(px, found).filled(landmarks, observed)
    np.testing.assert_allclose(where[4, :3], GRID[:3])
    np.testing.assert_allclose(where[:, 3], landmarks[:, 3])
    assert (trust[4] == LANDMARK_TRUST).all()
    assert (trust[:, 3][observed] == LANDMARK_TRUST).all()
    assert (trust[9] == 0).all()
    assert trust[0, 0] == 1


@pytest.mark.parametrize(("turn", "share"), [(0.1, 1.0), (0.001, 0.0)])
def test_a_patch_on_glasses_gets_their_depth(turn, share):
    """A head of 12 points turns; the patches of six of them lie .4 before the skin."""
    rng = np.random.default_rng(5)
    skin = rng.uniform(-0.5, 0.5, (12, 3))
    worn = skin - [0, 0, 0.4] * (np.arange(12) < 6)[:, None]
    w = turn * np.sin(np.arange(60)[:, None] * [0.2, 0.31, 0.17]) * [0.5, 1.0, 0.3]
    poses = RigidTrack(np.eye(3), w, np.tile([0.0, 0, 10], (60, 1)), skin, np.ones(12))
    camera = Camera(512, 512, 1000.0, 256.0, 256.0)
    found = rng.uniform(size=(60, 12)) < 0.9
    seen = Sighting(replace(poses, points=worn).project(camera), found)
    depths = own_depths(seen, poses.project(camera), np.ones(60, bool), poses, camera)
    assert depths.mean() == pytest.approx(0, abs=1e-9)
    assert depths[:6].mean() - depths[6:].mean() == pytest.approx(-0.4 * share, abs=0.05)


@pytest.mark.parametrize(("by_landmarks", "among", "worn"), [(0.2, 0.2, True), (0.2, 0.05, False), (0.05, 0.2, False)])
def test_depths_are_the_landmarks_word_on_the_whole_and_the_patches_word_on_each(by_landmarks, among, worn):
    rng = np.random.default_rng(6)
    depths, signs = rng.uniform(-0.5, 0.5, 64), rng.choice([-1.0, 1.0], 64)
    said = by_landmarks * signs + 0.1 * depths
    found, is_worn = patch_depths(said, among * signs + 0.7 * depths, depths, np.ones(64))
    assert is_worn == worn
    assert np.polyfit(depths, found, 1)[0] == pytest.approx(np.polyfit(depths, said, 1)[0], abs=1e-6)
    expected = without_scale(among * signs, depths, np.ones(64))
    np.testing.assert_allclose(without_scale(found, depths, np.ones(64)), expected, atol=1e-9)


def test_a_flat_face_gets_the_depth_of_people_and_keeps_its_outline():
    assert len(MEAN_RIGID) == len(RIGID)
    flat = MEAN_RIGID * [1, 1, 0.6]
    deep = with_mean_depth(flat)
    np.testing.assert_array_equal(deep[:, :2], flat[:, :2])
    np.testing.assert_allclose(deep, MEAN_RIGID, atol=0.05)  # flat faces seem a little tilted
    assert deep[:, 2].std() / MEAN_RIGID[:, 2].std() == pytest.approx(1, abs=0.03)
    wide = with_mean_depth(flat * [1.1, 1, 1])
    assert wide[:, 2].std() > deep[:, 2].std()  # a larger face is deeper


def test_a_stretch_in_depth_stays_as_it_was_and_single_patches_move():
    rng = np.random.default_rng(7)
    depths, information = rng.uniform(-0.5, 0.5, 40), rng.uniform(0.5, 1, 40)
    worn = np.where(np.arange(40) < 6, -0.3, 0.0)
    moved = without_scale(worn + 0.4 * depths + 0.1, depths, information)
    np.testing.assert_allclose(moved, without_scale(worn, depths, information), atol=1e-9)
    assert moved[:6].mean() - moved[6:].mean() == pytest.approx(-0.3, abs=0.05)
    assert information @ moved == pytest.approx(0, abs=1e-9)
    assert information @ (moved * depths) == pytest.approx(0, abs=1e-9)
    np.testing.assert_allclose(without_scale(worn, depths, np.where(worn, 1e-9, 1.0)), worn, atol=1e-6)

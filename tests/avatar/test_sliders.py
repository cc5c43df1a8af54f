from dataclasses import replace

import numpy as np

from locutor.avatar.avatar import Avatar
from locutor.avatar.controls import N_POSE
from locutor.avatar.sliders import sliders
from locutor.core.face import FACE_POINTS, LIP_GAP_ROWS


def _face(avatar: Avatar, direction: np.ndarray) -> np.ndarray:
    """What a step in the control space does to the landmarks."""
    controls = avatar.controls
    raw = direction[:-N_POSE] * controls.std[:-N_POSE]
    return (raw @ controls.components).reshape(len(FACE_POINTS), 2)


def test_a_slider_does_what_it_says(speaking_avatar: Avatar):
    by_name = {slider.name: _face(speaking_avatar, slider.direction) for slider in sliders(speaking_avatar.controls)}
    upper, lower = LIP_GAP_ROWS
    opened = by_name["mouth_open"]
    assert opened[lower, 1] - opened[upper, 1] > 0
    for name, face in by_name.items():
        if name != "mouth_open":  # the others leave the lips apart as they are
            assert abs(face[lower, 1] - face[upper, 1]) < 0.02 * (opened[lower, 1] - opened[upper, 1]), name


def test_directions_are_independent(speaking_avatar: Avatar):
    directions = np.stack([slider.direction for slider in sliders(speaking_avatar.controls)])
    np.testing.assert_allclose(directions @ directions.T, np.eye(len(directions)), atol=1e-5)
    assert not directions[:, -N_POSE:].any()


def test_what_the_footage_never_showed_is_not_offered(speaking_avatar: Avatar):
    controls = speaking_avatar.controls
    std = np.where(np.arange(len(controls.std)) < 10, 0, controls.std).astype(np.float32)
    still = replace(controls, std=std)
    assert {"mouth_open", "mouth_wide", "smile"}.isdisjoint(slider.name for slider in sliders(still))

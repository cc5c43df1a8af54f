from itertools import pairwise

import numpy as np
import pytest

from locutor.actors.rig import EXPRESSION_ROWS, LANDMARK_EYE_CORNERS, LANDMARK_LIP_GAP
from locutor.core.arkit import ARKIT_NAMES


def _with(rig, **weights: float) -> np.ndarray:
    row = np.zeros(len(ARKIT_NAMES), np.float32)
    for name, weight in weights.items():
        row[EXPRESSION_ROWS[name]] = weight
    return rig.deformed(rig.neutral, row)


def _lip_gap(rig, vertices: np.ndarray) -> float:
    upper, lower = vertices[rig.landmarks[list(LANDMARK_LIP_GAP)]]
    return float(lower[1] - upper[1])


def test_parts_follow_one_another_and_cover_the_head(coded_rig):
    parts = coded_rig.parts
    ranges = [
        parts.face, parts.head_and_neck, parts.mouth_socket, parts.eye_sockets, parts.gums_and_tongue, parts.teeth,
        parts.eyeball_left, parts.eyeball_right, *parts.lashes_upper, *parts.lashes_lower,
    ]  # fmt: skip
    assert ranges[0].start == 0
    assert ranges[-1].stop == len(coded_rig.neutral)
    assert all(a.stop == b.start for a, b in pairwise(ranges))
    assert coded_rig.triangles.max() < len(coded_rig.neutral)
    assert coded_rig.neutral[parts.eyeball_left, 0].min() > 0


@pytest.mark.parametrize("part", ["face", "eyeball_left", "eyeball_right"])
def test_front_sides_look_outwards(coded_rig, part):
    rows = getattr(coded_rig.parts, part)
    vertices, normals = coded_rig.neutral[rows], coded_rig.normals(coded_rig.neutral)[rows]
    head = vertices[:, 1] < 8  # the underside of the chin looks down, the shoulders up
    centre = (vertices.min(0) + vertices.max(0)) / 2 if part != "face" else np.array([0, -2, 0])
    assert ((normals * (vertices - centre)).sum(1) > 0)[head].mean() > 0.97


def test_texture_coordinates_stay_in_their_tiles(coded_rig):
    for name, tile in (("M_Face", 0), ("M_BackHead", 1), ("M_GumsTongue", 2), ("M_Teeth", 3), ("M_ScleraLeft", 0)):
        u, v = coded_rig.uv[coded_rig.triangles_uv[coded_rig.of_material(name)]].reshape(-1, 2).T
        assert tile <= u.min() <= u.max() <= tile + 1, name
        assert 0 <= v.min() <= v.max() <= 1, name


def test_every_expression_moves_something_smoothly(coded_rig):
    reach = np.linalg.norm(coded_rig.expression, axis=2).max(1)
    assert (reach > 0.03).all(), [n for n, far in zip(ARKIT_NAMES, reach, strict=True) if far <= 0.03]
    assert np.isfinite(coded_rig.expression).all()


@pytest.mark.parametrize("name", [n.removesuffix("Left") for n in ARKIT_NAMES if n.endswith("Left")])
def test_left_is_the_persons_left_and_the_sides_mirror(coded_rig, name):
    if f"{name}Right" not in EXPRESSION_ROWS or name in ("jaw", "mouth"):
        return
    left, right = (np.abs(coded_rig.expression[EXPRESSION_ROWS[name + side]]).sum(1) for side in ("Left", "Right"))
    x = coded_rig.neutral[:, 0]
    assert (left * x).sum() > 0.3 * (left * np.abs(x)).sum()
    assert left.sum() == pytest.approx(right.sum(), rel=0.02)


def test_the_jaw_opens_the_mouth_and_the_lips_close_it_again(coded_rig):
    assert abs(_lip_gap(coded_rig, coded_rig.neutral)) < 0.02
    opened = _lip_gap(coded_rig, _with(coded_rig, jawOpen=0.5))
    assert opened > 1.2
    assert abs(_lip_gap(coded_rig, _with(coded_rig, jawOpen=0.5, mouthClose=0.5))) < 0.25 * opened


def test_the_jaw_leaves_the_upper_half_of_the_head_alone(coded_rig):
    moved = np.linalg.norm(coded_rig.expression[EXPRESSION_ROWS["jawOpen"]], axis=1)
    assert moved[coded_rig.neutral[:, 1] < -1].max() < 0.25


def test_a_blink_shuts_the_eyes_over_the_eyeball(coded_rig):
    rows = coded_rig.landmarks[[37, 41]]  # upper and lower lid
    opening = [float(np.diff(v[rows, 1])[0]) for v in (coded_rig.neutral, _with(coded_rig, eyeBlinkRight=1.0))]
    assert opening[0] > 0.5
    assert abs(opening[1]) < 0.3 * opening[0]
    ball = coded_rig.neutral[coded_rig.parts.eyeball_right]
    centre, radius = (ball.min(0) + ball.max(0)) / 2, np.ptp(ball[:, 0]) / 2
    shut = _with(coded_rig, eyeBlinkRight=1.0)[coded_rig.landmarks[[37, 38]]]
    assert (np.linalg.norm(shut - centre, axis=1) > radius).all()


def test_only_the_tongue_comes_out(coded_rig):
    moved = np.linalg.norm(coded_rig.expression[EXPRESSION_ROWS["tongueOut"]], axis=1)
    inside = np.zeros(len(moved), bool)
    inside[coded_rig.parts.gums_and_tongue] = True
    assert moved[inside].max() > 1
    assert moved[~inside].max() == 0


def test_landmarks_mirror_and_teeth_stay_behind_the_lips(coded_rig):
    right, left = coded_rig.neutral[coded_rig.landmarks[list(LANDMARK_EYE_CORNERS)]]
    np.testing.assert_allclose(right * [-1, 1, 1], left, atol=0.02)
    lips = coded_rig.neutral[coded_rig.landmarks[48:]]
    teeth = coded_rig.neutral[coded_rig.parts.teeth]
    assert teeth[:, 2].min() > lips[[3, 9], 2].max() + 0.3


def test_identities_keep_the_eyeballs_in_their_sockets(coded_rig):
    rng = np.random.default_rng(0)
    for _ in range(5):
        face = coded_rig.person(rng.standard_normal(len(coded_rig.identity)).astype(np.float32))
        ball = face[coded_rig.parts.eyeball_left]
        corner = face[coded_rig.landmarks[45]]
        assert np.linalg.norm(corner - (ball.min(0) + ball.max(0)) / 2) < 2.2
        assert _lip_gap(coded_rig, face) < 0.05

import dataclasses

import numpy as np
import pytest

from locutor.actors.landmark_table import landmark_table, true_landmarks
from locutor.actors.motion import PerformerMotion
from locutor.actors.rig import EXPRESSION_ROWS
from locutor.actors.scene import place
from locutor.core.errors import FormatError
from locutor.core.face import EYE_LEFT, EYE_RIGHT, IRISES, LIP_GAP, OUTER_EYE_CORNERS


@pytest.fixture(params=["coded_rig", pytest.param("real_rig", marks=pytest.mark.real)])
def rig(request):
    return request.getfixturevalue(request.param)


def _shape(rig, **weights: float) -> np.ndarray:
    row = np.zeros(52, np.float32)
    for name, weight in weights.items():
        row[EXPRESSION_ROWS[name]] = weight
    return landmark_table(rig).points(rig.deformed(rig.neutral, row))


def test_weights_are_barycentric(rig):
    table = landmark_table(rig)
    np.testing.assert_allclose(table.weights.sum(1), 1, atol=1e-5)
    assert table.weights.min() >= 0


def test_the_eyes_lie_where_eyes_are(rig):
    points = _shape(rig)
    right, left = points[list(OUTER_EYE_CORNERS)]
    assert right[0] < -3 < 3 < left[0]
    np.testing.assert_allclose(right * [-1, 1, 1], left, atol=0.5)
    for rows, ball in ((EYE_LEFT, rig.parts.eyeball_left), (EYE_RIGHT, rig.parts.eyeball_right)):
        centre = rig.neutral[ball].mean(0)
        assert np.linalg.norm(points[list(rows)].mean(0)[:2] - centre[:2]) < 0.5
        front = [k for k in (468, 473) if np.sign(points[k, 0]) == np.sign(centre[0])]
        assert np.linalg.norm(points[front[0], :2] - centre[:2]) < 0.5


def test_upper_and_lower_lip_part_when_the_jaw_opens(rig):
    shut, opened = _shape(rig), _shape(rig, jawOpen=0.5)
    gap = [float(p[LIP_GAP[1], 1] - p[LIP_GAP[0], 1]) for p in (shut, opened)]
    assert abs(gap[0]) < 0.6
    assert gap[1] > gap[0] + 1.0


def test_landmarks_move_with_the_vertices(coded_actor):
    """Against the drawn vertices, frame by frame, with head, torso and eyes turned."""
    rng = np.random.default_rng(1)

    def noise(*shape: int) -> np.ndarray:
        return (0.1 * rng.standard_normal(shape)).astype(np.float32)

    motion = PerformerMotion(np.abs(noise(3, 52)), noise(3, 3), noise(3, 3), noise(3, 3), noise(3, 3), noise(3, 2))
    table = landmark_table(coded_actor.rig)
    tracked = true_landmarks(coded_actor, motion, table)
    for k in range(3):
        expected = table.points(place(coded_actor, motion.pose(k))[0])
        np.testing.assert_allclose(tracked[k], expected, atol=0.03)
    assert np.linalg.norm(tracked[0, list(IRISES)] - tracked[1, list(IRISES)], axis=1).min() > 0.01


def test_a_table_of_another_mesh_is_refused(coded_rig):
    arrays = {name: getattr(coded_rig, name)[..., :-1, :] for name in ("neutral", "identity", "expression")}
    fewer = dataclasses.replace(coded_rig, **arrays)
    with pytest.raises(FormatError, match="measured on"):
        landmark_table(fewer)

from locutor.core import face


def test_the_points_are_distinct_and_counted_as_documented():
    assert len(face.FACE_POINTS) == len(set(face.FACE_POINTS)) == 120
    assert (len(face.MOUTH), len(face.EYES), len(face.BROWS)) == (58, 42, 20)
    assert max(face.FACE_POINTS) < 478


def test_the_slices_tile_the_points():
    points = face.FACE_POINTS
    assert points[face.MOUTH_SLICE] == face.MOUTH
    assert points[face.EYES_SLICE] == face.EYES
    assert points[face.BROWS_SLICE] == face.BROWS
    assert points[face.LIP_GAP_ROWS[0]] == 13
    assert points[face.LIP_GAP_ROWS[1]] == 14


def test_rigid_points_are_not_on_the_lips_and_hold_the_unit_of_length():
    assert len(set(face.RIGID)) == len(face.RIGID)
    assert not set(face.RIGID) & set(face.LIPS)
    assert set(face.OUTER_EYE_CORNERS) <= set(face.RIGID)

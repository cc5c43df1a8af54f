import csv
from pathlib import Path

import numpy as np
import pytest

from locutor.actors.landmark_table import landmark_table
from locutor.actors.procedural_rig import procedural_rig
from locutor.core.arkit import ARKIT_NAMES
from locutor.core.errors import FormatError
from locutor.core.face import FACE_POINTS, IRISES, OUTER_EYE_CORNERS
from locutor.core.motion import Motion
from locutor.export.arkit_csv import HEADER, read_arkit_csv, write_arkit_csv
from locutor.export.blendshapes import blendshapes


def _faces(weights: np.ndarray) -> np.ndarray:
    """Landmarks that a rig shows for ARKit weights, x and y, inter-ocular units."""
    rig, table = procedural_rig(), landmark_table(procedural_rig())
    neutral = table.points(rig.neutral)
    points = [table.points(rig.neutral + np.tensordot(w, rig.expression, 1)) - neutral for w in weights]
    unit = np.linalg.norm(np.diff(neutral[list(OUTER_EYE_CORNERS)], axis=0))
    return (np.stack(points)[:, list(FACE_POINTS), :2] / unit).astype(np.float32)


@pytest.mark.parametrize("name", ["jawOpen", "eyeBlinkLeft", "eyeBlinkRight", "mouthPucker", "browInnerUp"])
def test_a_blendshape_is_found_in_its_landmarks(name: str):
    weights = np.zeros((2, 52), np.float32)
    weights[1, ARKIT_NAMES.index(name)] = 0.6
    found = blendshapes(Motion(face=_faces(weights)))
    assert np.abs(found[0]).max() < 1e-6
    assert found[1, ARKIT_NAMES.index(name)] == pytest.approx(0.6, abs=0.15)
    assert np.argmax(found[1]) == ARKIT_NAMES.index(name)
    assert found.min() >= 0
    assert found.max() <= 1


def test_the_irises_say_where_the_eyes_look():
    face = np.zeros((1, 120, 2), np.float32)
    face[0, [FACE_POINTS.index(point) for point in IRISES]] = (0.03, 0.015)  # to the picture's right, down
    found = dict(zip(ARKIT_NAMES, blendshapes(Motion(face=face))[0], strict=True))
    assert found["eyeLookOutLeft"] == pytest.approx(found["eyeLookInRight"]) == pytest.approx(0.4)
    assert found["eyeLookDownLeft"] == pytest.approx(0.2)
    assert found["eyeLookInLeft"] == found["eyeLookUpRight"] == 0


def test_own_coefficients_are_written_as_they_are(tmp_path: Path):
    values = np.random.default_rng(1).random((26, 52)).astype(np.float32)
    turns = np.zeros((26, 4), np.float32)
    turns[:, 0] = 1
    turns[25] = (np.cos(0.1), 0, np.sin(0.1), 0)  # .2 rad about y (down): to the picture's left
    write_arkit_csv(Motion(blendshapes=values, head_wxyz=turns), tmp_path / "a.csv")
    with (tmp_path / "a.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(HEADER) == len(set(HEADER)) == 63
    assert [row["Timecode"] for row in rows[24:]] == ["00:00:00:24.000", "00:00:01:00.000"]
    assert {row["BlendshapeCount"] for row in rows} == {"61"}
    for name in ARKIT_NAMES:
        column = name[0].upper() + name[1:]
        np.testing.assert_allclose([float(row[column]) for row in rows], values[:, ARKIT_NAMES.index(name)], atol=1e-6)
    difference = float(rows[25]["HeadYaw"]) - float(rows[0]["HeadYaw"])
    assert difference == pytest.approx(-0.2, abs=1e-3)


def test_a_motion_of_the_head_alone_has_no_expression(tmp_path: Path):
    with pytest.raises(FormatError, match="face"):
        write_arkit_csv(Motion(head_wxyz=np.ones((3, 4), np.float32)), tmp_path / "a.csv")
    assert not list(tmp_path.iterdir())


def test_what_was_written_is_read(tmp_path: Path):
    values = np.random.default_rng(1).random((7, 52)).astype(np.float32)
    write_arkit_csv(Motion(blendshapes=values), tmp_path / "a.csv")
    np.testing.assert_allclose(read_arkit_csv(tmp_path / "a.csv").blendshapes, values, atol=1e-6)


@pytest.mark.parametrize("content", ["", "JawOpen,EyeBlinkLeft\n1,2\n", "{header}\n", "{header}\n00:00,61,nan{rest}\n"])
def test_what_is_no_such_table_is_refused(tmp_path: Path, content: str):
    text = content.replace("{header}", ",".join(HEADER)).replace("{rest}", ",0" * 60)
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(FormatError, match=r"a\.csv"):
        read_arkit_csv(tmp_path / "a.csv")

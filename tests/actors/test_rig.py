import numpy as np
import pytest

from locutor.actors.ict_rig import ARRAYS, FOLDER, arkit_name, find_ict_folder, load_rig
from locutor.actors.rig import EXPRESSION_ROWS
from locutor.core.arkit import ARKIT_NAMES
from locutor.core.errors import FormatError, ModelFileError

from .conftest import tiny_arrays


def test_axes_are_turned_and_quads_split(tiny_rig):
    assert tiny_rig.neutral[4].tolist() == [2, 0, -1]
    assert tiny_rig.neutral[2].tolist() == [1, -1, 0]
    assert sorted(map(tuple, tiny_rig.triangles)) == [(0, 1, 2), (0, 2, 3), (1, 4, 2)]
    assert tiny_rig.triangle_material.tolist() == [0, 1, 0]


def test_expressions_add_up(tiny_rig):
    weights = np.zeros(len(tiny_rig.expression), np.float32)
    assert np.array_equal(tiny_rig.deformed(tiny_rig.neutral, weights), tiny_rig.neutral)
    first, second = EXPRESSION_ROWS["mouthClose"], EXPRESSION_ROWS["eyeBlinkLeft"]
    weights[[first, second]] = 0.5, 2.0
    expected = tiny_rig.neutral + 0.5 * tiny_rig.expression[first] + 2 * tiny_rig.expression[second]
    np.testing.assert_allclose(tiny_rig.deformed(tiny_rig.neutral, weights), expected, atol=1e-6)


def test_person_uses_the_first_identities(tiny_rig):
    expected = tiny_rig.neutral - tiny_rig.identity[0] + 0.5 * tiny_rig.identity[1]
    np.testing.assert_allclose(tiny_rig.person(np.array([-1, 0.5], np.float32)), expected, atol=1e-6)


@pytest.mark.parametrize("name", ARRAYS)
def test_a_missing_array_is_named(tiny_folder, name):
    arrays = tiny_arrays()
    del arrays[name]
    np.savez(tiny_folder / "ict_facekit.npz", **arrays)
    with pytest.raises(FormatError, match=f"lacks the array '{name}'"):
        load_rig(tiny_folder)


def test_damaged_files_are_named(tiny_folder):
    (tiny_folder / "vertex_indices.json").write_text("{}")
    with pytest.raises(FormatError, match="idx_to_landmark_verts"):
        load_rig(tiny_folder)
    (tiny_folder / "ict_facekit.npz").write_bytes(b"not a zip")
    with pytest.raises(FormatError, match="not a readable npz"):
        load_rig(tiny_folder)


def test_missing_files(tmp_path, monkeypatch):
    with pytest.raises(ModelFileError, match=r"ict_facekit\.npz is missing"):
        load_rig(tmp_path)
    monkeypatch.setenv("LOCUTOR_MODELS", str(tmp_path))
    assert find_ict_folder() is None
    (tmp_path / FOLDER).mkdir()
    assert find_ict_folder() == tmp_path / FOLDER
    monkeypatch.delenv("LOCUTOR_MODELS")
    assert find_ict_folder() is None


def test_names_of_the_files_become_arkit_names():
    assert len(set(ARKIT_NAMES)) == 52
    assert arkit_name("eyeBlink_L") == "eyeBlinkLeft"
    assert arkit_name("browInnerUp_R") == "browInnerUp"
    assert arkit_name("jawOpen") == "jawOpen"
    assert arkit_name("PupilDilate_L") is None


def test_both_sides_of_a_middle_expression_add_up(tiny_rig):
    arrays = tiny_arrays()
    rows = {str(name): row for row, name in enumerate(arrays["expression_names"])}
    sides = arrays["expression"][[rows["browInnerUp_L"], rows["browInnerUp_R"]]].astype(np.float32).sum(0)
    np.testing.assert_allclose(tiny_rig.expression[EXPRESSION_ROWS["browInnerUp"]], sides * [1, -1, -1], atol=1e-6)


@pytest.mark.real
def test_the_real_rig_opens_its_mouth_downwards(real_rig):
    weights = np.zeros(len(real_rig.expression), np.float32)
    weights[EXPRESSION_ROWS["jawOpen"]] = 0.5
    upper, lower = real_rig.landmarks[[62, 66]]
    opened = real_rig.deformed(real_rig.neutral, weights)
    gap = [float(v[lower, 1] - v[upper, 1]) for v in (real_rig.neutral, opened)]
    assert 0 <= gap[0] < 0.2
    assert gap[1] > 1.3


@pytest.mark.real
def test_every_expression_of_the_real_rig_moves_something(real_rig):
    reach = np.linalg.norm(real_rig.expression, axis=2).max(1)
    assert (reach > 0.02).all(), [name for name, far in zip(ARKIT_NAMES, reach, strict=True) if far <= 0.02]
    tongue = np.linalg.norm(real_rig.expression[EXPRESSION_ROWS["tongueOut"]], axis=1)
    outside = np.ones(len(tongue), bool)
    outside[real_rig.parts.gums_and_tongue] = False
    assert tongue[~outside].max() > 1
    assert tongue[outside].max() == 0

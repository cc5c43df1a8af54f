import numpy as np
import pytest

from locutor.actors.rig import ARRAYS, FOLDER, load_rig, rig_folder
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
    weights[[1, 4]] = 0.5, 2.0
    expected = tiny_rig.neutral + 0.5 * tiny_rig.expression[1] + 2 * tiny_rig.expression[4]
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
    with pytest.raises(ModelFileError, match=FOLDER):
        rig_folder()
    monkeypatch.delenv("LOCUTOR_MODELS")
    with pytest.raises(ModelFileError, match="LOCUTOR_MODELS is not set"):
        rig_folder()


@pytest.mark.real
def test_the_real_rig_opens_its_mouth_downwards(real_rig):
    weights = np.zeros(len(real_rig.expression), np.float32)
    weights[real_rig.expression_rows["jawOpen"]] = 0.5
    upper, lower = real_rig.landmarks[[62, 66]]
    opened = real_rig.deformed(real_rig.neutral, weights)
    gap = [float(v[lower, 1] - v[upper, 1]) for v in (real_rig.neutral, opened)]
    assert 0 <= gap[0] < 0.2
    assert gap[1] > 1.3

"""A tiny rig made by hand, the head made by code, and the ICT rig where it is present."""

import json

import numpy as np
import pytest

from locutor.actors.casting import make_actor
from locutor.actors.ict_rig import FOLDER, load_rig
from locutor.actors.procedural_rig import procedural_rig
from locutor.actors.rig import Rig
from locutor.actors.scene import Actor
from locutor.actors.visemes import CONTROLS

ONE_SIDED = ("jawOpen", "mouthClose", "mouthFunnel", "mouthPucker", "mouthRollLower", "mouthRollUpper")
TWO_SIDED = (
    *(name for name in CONTROLS if name not in ONE_SIDED),
    *("eyeBlink", "eyeSquint", "eyeLookDown", "eyeLookUp", "eyeLookIn", "eyeLookOut"),
    *("browInnerUp", "browOuterUp", "browDown"),
)
EXPRESSIONS = (*ONE_SIDED, *(f"{name}_{side}" for name in TWO_SIDED for side in "LR"))


def tiny_arrays() -> dict[str, np.ndarray]:
    """What a packed rig holds, for a square of two triangles and one lone triangle."""
    rng = np.random.default_rng(0)
    n = len(EXPRESSIONS)
    return {
        "vertices": np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0], [2, 0, 1]], np.float32),
        "quads": np.array([[0, 1, 2, 3], [1, 4, 2, -1]], np.int32),
        "uv": np.array([[0, 0], [1, 0], [1, 1], [0, 1], [1.5, 0]], np.float32),
        "quads_uv": np.array([[0, 1, 2, 3], [1, 4, 2, -1]], np.int32),
        "material": np.array([0, 1], np.int16),
        "material_names": np.array(["M_Face", "M_Teeth"]),
        "identity": rng.standard_normal((3, 5, 3)).astype(np.float16),
        "expression": rng.standard_normal((n, 5, 3)).astype(np.float16),
        "expression_names": np.array(EXPRESSIONS),
    }


@pytest.fixture
def tiny_folder(tmp_path):
    """A folder with a small packed rig."""
    np.savez(tmp_path / "ict_facekit.npz", **tiny_arrays())
    (tmp_path / "vertex_indices.json").write_text(json.dumps({"idx_to_landmark_verts": [k % 5 for k in range(68)]}))
    return tmp_path


@pytest.fixture(scope="session")
def coded_rig() -> Rig:
    """The head made by code: needs no file."""
    return procedural_rig()


@pytest.fixture(scope="session")
def coded_actor(coded_rig) -> Actor:
    """A short-haired person with glasses and a beard on that head, 96 px."""
    return make_actor(coded_rig, 33, 96)


@pytest.fixture
def tiny_rig(tiny_folder) -> Rig:
    return load_rig(tiny_folder)


@pytest.fixture(scope="session")
def real_rig(models_dir) -> Rig:
    """ICT-FaceKit; skips where it is not in the model folder."""
    if not (models_dir / FOLDER).is_dir():
        pytest.skip("the model folder has no ict_facekit")
    return load_rig(models_dir / FOLDER)

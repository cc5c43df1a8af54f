"""What the browser gets is what the native renderer has."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from locutor.avatar.avatar import Avatar, body_pose
from locutor.avatar.bake import bake_for_web
from locutor.avatar.field import CodeNetwork
from locutor.avatar.motion_rows import N_POSE, motion_rows
from locutor.avatar.torso import TorsoCode
from locutor.capture.performance import Performance
from locutor.core.errors import OutputError
from locutor.core.motion import Motion
from locutor.geometry.rotation import matrix_from_wxyz
from locutor.media.pictures import decode_rgb

Baked = tuple[dict, dict[str, np.ndarray], Path]


@pytest.fixture(scope="module")
def baked(speaking_avatar: Avatar, tmp_path_factory) -> Baked:
    """The JSON page, the arrays of the binary, the folder."""
    folder = tmp_path_factory.mktemp("bake") / "avatar"
    bake_for_web(speaking_avatar, folder, "somebody")
    return read(folder)


def read(folder: Path) -> Baked:
    page = json.loads((folder / "avatar.json").read_text())
    binary = (folder / page["binary"]).read_bytes()
    assert hashlib.sha256(binary).hexdigest() == page["sha256"]
    arrays = {}
    for name, part in page["parts"].items():
        assert part["offset"] % 16 == 0
        kind = {"float32": "<f4", "float16": "<f2"}[part["type"]]
        arrays[name] = np.frombuffer(binary, kind, int(np.prod(part["shape"])), part["offset"]).reshape(part["shape"])
    return page, arrays, folder


def test_the_gaussians(baked, speaking_avatar: Avatar):
    page, arrays, _ = baked
    canonical, rows = speaking_avatar.canonical, arrays["gaussians"]
    assert rows.shape == (page["n_gaussians"], 16) == (len(canonical), 16)
    np.testing.assert_array_equal(rows[:, :3], canonical.means)
    np.testing.assert_allclose(rows[:, 3], torch.sigmoid(canonical.logit_attachment), rtol=1e-6)
    np.testing.assert_allclose(matrix_from_wxyz(rows[:, 4:8]), matrix_from_wxyz(_unit(canonical.quats)), atol=1e-6)
    np.testing.assert_array_equal(rows[:, 8:11], canonical.log_scales)
    np.testing.assert_allclose(rows[:, 11], torch.sigmoid(canonical.logit_opacities), rtol=1e-6)
    np.testing.assert_array_equal(rows[:, 12:15], canonical.colors)


def _unit(quats: torch.Tensor) -> np.ndarray:
    return (quats / quats.norm(dim=1, keepdim=True)).numpy()


def whole_table(page: dict, arrays: dict[str, np.ndarray]) -> np.ndarray:
    table = np.zeros((page["n_bases"], 3, page["n_moved"], 3), np.float32)
    for block in page["bases"]:
        rows, basis, gaussian = arrays[block["part"]], block["first_basis"], block["first_gaussian"]
        table[basis : basis + len(rows), :, gaussian : gaussian + rows.shape[2]] = rows
    return table


def test_the_bases_to_a_two_thousandth_of_the_largest(baked, speaking_avatar: Avatar):
    page, arrays, _ = baked
    scaled = whole_table(page, arrays)  # K, group, M, 3
    bases = scaled.transpose(0, 1, 3, 2).reshape(speaking_avatar.bases.shape) * arrays["bases_scale"][:, :, None]
    assert page["n_bases"], page["n_moved"] == (bases.shape[0], bases.shape[2])
    error = np.abs(bases - speaking_avatar.bases.numpy()).max(2)
    assert (error <= arrays["bases_scale"] / 2000).all()


def test_the_network(baked, speaking_avatar: Avatar, performance: Performance):
    _, arrays, _ = baked
    motion = performance.tracking.motion[:5]
    x = speaking_avatar.controls.encode(motion)

    def linear(name: str, values: np.ndarray) -> np.ndarray:
        return values @ arrays[f"network.{name}.weight"].T + arrays[f"network.{name}.bias"]

    coefficients = linear("out", np.maximum(0, linear("hidden", x))) + linear("direct", x)
    np.testing.assert_allclose(coefficients, speaking_avatar.coefficients(motion), atol=1e-5)


def test_the_plate(baked, speaking_avatar: Avatar):
    page, _, folder = baked
    plate = decode_rgb((folder / page["plate"]).read_bytes())
    assert np.abs(plate.astype(float) - speaking_avatar.plate).mean() < 2


def test_rest_is_the_neutral_face(baked, speaking_avatar: Avatar):
    page, _, _ = baked
    controls = speaking_avatar.controls
    rest = Motion(
        face=np.zeros((1, 120, 2), np.float32),
        head_wxyz=controls.reference_wxyz[None],
        head_xyz=controls.reference_xyz[None],
    )
    np.testing.assert_allclose(page["rest"]["controls"], controls.encode(rest)[0], atol=1e-6)


def test_the_torsos_coefficients_at_rest_come_after_the_faces(speaking_avatar: Avatar, tmp_path: Path):
    n_face, n_torso = len(speaking_avatar.bases), 3
    code = TorsoCode(np.zeros(10, np.float32), np.ones(10, np.float32), CodeNetwork(10, n_torso))
    bases = torch.cat([speaking_avatar.bases, torch.rand(n_torso, *speaking_avatar.bases.shape[1:])])
    dressed = replace(speaking_avatar, bases=bases, torso=code)
    bake_for_web(dressed, tmp_path / "avatar")
    page = json.loads((tmp_path / "avatar" / "avatar.json").read_text())
    assert page["n_bases"] == n_face + n_torso
    controls = dressed.controls
    wxyz, xyz = controls.reference_wxyz[None], controls.reference_xyz[None]
    face = np.zeros((1, 120, 2), np.float32)
    rest = Motion(face=face, head_wxyz=wxyz, head_xyz=xyz, torso_wxyz=wxyz, torso_xyz=xyz)
    np.testing.assert_allclose(page["rest"]["torso_coefficients"], dressed.coefficients(rest)[0, n_face:], atol=1e-6)


def test_rows_that_are_zero_are_left_out(speaking_avatar: Avatar, tmp_path: Path):
    (n_face, _, m), n_torso = speaking_avatar.bases.shape, 3
    bases = torch.zeros(n_face + n_torso, 9, m)
    bases[:n_face, :, : m // 3] = speaking_avatar.bases[:, :, : m // 3] + 0.01
    bases[n_face:, :3, m // 3 :] = torch.rand(n_torso, 3, m - m // 3)
    code = TorsoCode(np.zeros(10, np.float32), np.ones(10, np.float32), CodeNetwork(10, n_torso))
    bake_for_web(replace(speaking_avatar, bases=bases, torso=code), tmp_path / "avatar")
    page, arrays, _ = read(tmp_path / "avatar")
    assert arrays["bases.face"].shape == (n_face, 3, m // 3, 3)
    assert arrays["bases.torso"].shape == (n_torso, 3, m - m // 3, 3)
    table = whole_table(page, arrays).transpose(0, 1, 3, 2).reshape(bases.shape) * arrays["bases_scale"][:, :, None]
    np.testing.assert_allclose(table, bases, atol=float(arrays["bases_scale"].max()) / 2000)


def test_rows_of_motion(speaking_avatar: Avatar, performance: Performance):
    motion = performance.tracking.motion[:6].with_channels(torso_wxyz=-performance.tracking.motion[:6].torso_wxyz)
    rows = motion_rows(speaking_avatar, motion)
    n_bases = speaking_avatar.bases.shape[0]
    assert rows.shape == (6, n_bases + N_POSE)
    np.testing.assert_array_equal(rows[:, :n_bases], speaking_avatar.coefficients(motion))
    head, torso = rows[:, n_bases : n_bases + 4], rows[:, n_bases + 7 : n_bases + 11]
    assert ((head * torso).sum(1) >= 0).all()  # one hemisphere, whatever the tracker said
    pose = body_pose(motion, 3)
    np.testing.assert_array_equal(rows[3, n_bases + 4 : n_bases + 7], pose.head_xyz)
    np.testing.assert_array_equal(rows[3, n_bases + 11 :], pose.torso_xyz)


def test_a_folder_that_exists_is_left_alone(speaking_avatar: Avatar, tmp_path: Path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "precious").touch()
    with pytest.raises(OutputError, match="exists already"):
        bake_for_web(speaking_avatar, tmp_path / "a")
    assert [p.name for p in tmp_path.rglob("*")] == ["a", "precious"]

"""PLY as other programs read it: by a reader written from the format's description, not from our writer."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch

from locutor.avatar.avatar import Avatar, as_background
from locutor.capture.performance import Performance
from locutor.core.errors import FormatError
from locutor.export.ply import gaussians_of, read_ply, write_ply
from locutor.splat.cpu import rasterize
from locutor.splat.gaussians import Gaussians


def _read(path: Path) -> dict[str, np.ndarray]:
    """Properties of the vertices of a binary PLY of floats."""
    data = path.read_bytes()
    header, body = data.split(b"end_header\n", 1)
    lines = header.decode().splitlines()
    assert lines[:2] == ["ply", "format binary_little_endian 1.0"]
    (count,) = (int(line.split()[2]) for line in lines if line.startswith("element vertex"))
    names = re.findall(r"property float (\w+)", header.decode())
    values = np.frombuffer(body, "<f4").reshape(count, len(names))
    return dict(zip(names, values.T, strict=True))


def _activated(ply: dict[str, np.ndarray]) -> Gaussians:
    """As gsplat's and the authors' viewers take the values: exp, sigmoid, .5 + C0 f_dc."""

    def columns(*names: str) -> torch.Tensor:
        return torch.from_numpy(np.stack([ply[name] for name in names], 1).copy())

    return Gaussians(
        means=columns("x", "y", "z"),
        quats=columns("rot_0", "rot_1", "rot_2", "rot_3"),
        scales=columns("scale_0", "scale_1", "scale_2").exp(),
        opacities=torch.sigmoid(columns("opacity")[:, 0]),
        colors=0.5 + 0.28209479177387814 * columns("f_dc_0", "f_dc_1", "f_dc_2"),
    )


def test_read_back_it_draws_the_same_picture(speaking_avatar: Avatar, performance: Performance, tmp_path: Path):
    motion = performance.tracking.motion[7:8]
    write_ply(gaussians_of(speaking_avatar, motion), tmp_path / "a.ply")
    read = _activated(_read(tmp_path / "a.ply"))
    in_place = Gaussians(
        read.means + torch.from_numpy(speaking_avatar.controls.reference_xyz),
        read.quats, read.scales, read.opacities, read.colors,
    )  # fmt: skip
    drawn = rasterize(in_place, speaking_avatar.camera, as_background(speaking_avatar.plate)).rgb
    truth = speaking_avatar.render(motion)
    assert np.abs(255 * drawn.clamp(0, 1).numpy() - truth).max() < 2.5  # bases of the render loop in half precision


def test_the_neutral_head_lies_at_the_origin(speaking_avatar: Avatar, tmp_path: Path):
    write_ply(gaussians_of(speaking_avatar, None), tmp_path / "a.ply")
    ply = _read(tmp_path / "a.ply")
    assert len(ply["x"]) == len(speaking_avatar.canonical)
    np.testing.assert_allclose([ply[axis].mean() for axis in "xyz"], 0, atol=2.0)
    assert np.linalg.norm([ply[f"rot_{i}"] for i in range(4)], axis=0) == pytest.approx(1, abs=1e-5)
    assert all(np.isfinite(values).all() for values in ply.values())


def test_our_reader_agrees_with_the_other(speaking_avatar: Avatar, tmp_path: Path):
    write_ply(gaussians_of(speaking_avatar, None), tmp_path / "a.ply")
    mine, theirs = read_ply(tmp_path / "a.ply"), _activated(_read(tmp_path / "a.ply"))
    for name in ("means", "quats", "scales", "opacities", "colors"):
        torch.testing.assert_close(getattr(mine, name), getattr(theirs, name))


@pytest.mark.parametrize(
    ("old", "new"),
    [(b"binary_little_endian", b"ascii"), (b"vertex ", b"vertex 9999999"), (b"float x", b"double x"), (b"ply", b"plx")],
)
def test_another_ply_is_refused(speaking_avatar: Avatar, tmp_path: Path, old: bytes, new: bytes):
    write_ply(gaussians_of(speaking_avatar, None), tmp_path / "a.ply")
    (tmp_path / "a.ply").write_bytes((tmp_path / "a.ply").read_bytes().replace(old, new, 1))
    with pytest.raises(FormatError, match=r"a\.ply"):
        read_ply(tmp_path / "a.ply")

import json
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
import torch
from tests.synthetic.bundles import changed
from tests.synthetic.performer import take, true_avatar, true_tracking

from locutor.avatar.avatar import Avatar
from locutor.avatar.bundle import VERSION, load_avatar, read_preview, save_avatar
from locutor.avatar.controls import N_CONTROLS
from locutor.avatar.field import CodeNetwork
from locutor.avatar.torso import TorsoCode
from locutor.capture.performance import Performance
from locutor.core.errors import FormatError, OutputError

MEMBERS = {
    "meta.json",
    "card.md",
    "gaussians.safetensors",
    "motion.safetensors",
    "idle.safetensors",
    "plate.png",
    "preview.png",
}


@pytest.fixture(scope="module")
def avatar() -> Avatar:
    someone = true_avatar(Path("some") / "folder")
    extra = 0.01 * torch.randn(3, *someone.bases.shape[1:], generator=torch.Generator().manual_seed(0))
    network = type(someone.network)(N_CONTROLS, 5)
    return replace(someone, bases=torch.cat([someone.bases, extra]), network=network.requires_grad_(False))


@pytest.fixture
def path(avatar, tmp_path) -> Path:
    out = tmp_path / "someone.avatar"
    save_avatar(avatar, out, preview=avatar.plate)
    return out


def test_it_is_a_zip_with_the_documented_members(path):
    assert set(zipfile.ZipFile(path).namelist()) == MEMBERS
    assert list(path.parent.iterdir()) == [path]


def test_the_loaded_avatar_draws_the_same(avatar, path, performance: Performance):
    loaded = load_avatar(path)
    for k in (0, 3, 47, 105):
        motion = performance.tracking.motion[k : k + 1]
        assert np.abs(loaded.render(motion).astype(int) - avatar.render(motion)).max() <= 2


def test_nothing_is_lost(avatar, path):
    loaded = load_avatar(path)
    assert loaded.camera == avatar.camera
    assert loaded.provenance == avatar.provenance
    assert loaded.voice == {}
    np.testing.assert_array_equal(loaded.plate, avatar.plate)
    for name in vars(avatar.canonical):
        torch.testing.assert_close(getattr(loaded.canonical, name), getattr(avatar.canonical, name), rtol=0, atol=0)
    for name, array in vars(avatar.controls).items():
        np.testing.assert_array_equal(getattr(loaded.controls, name), array)
    assert loaded.idle.keys() == avatar.idle.keys()
    for name, array in avatar.idle.items():
        np.testing.assert_array_equal(loaded.idle[name], array)
    motion = true_tracking(take(30)).motion
    torch.testing.assert_close(loaded.coefficients(motion), avatar.coefficients(motion))
    scale = avatar.bases.abs().amax(2, keepdim=True)
    step = torch.tensor([1 / 2048] * 3 + [1 / 250] * 6)[:, None]
    assert ((loaded.bases - avatar.bases).abs() <= scale * step + 1e-12).all()


def test_the_torsos_code_is_carried(avatar, tmp_path):
    n = len(avatar.canonical)
    table = torch.zeros(7, 9, n)
    table[:5, :, : avatar.bases.shape[2]] = avatar.bases
    table[5:, :3] = 0.1
    mean, std = np.arange(10, dtype=np.float32), np.ones(10, np.float32)
    code = TorsoCode(mean, std, CodeNetwork(10, 2).requires_grad_(False))
    save_avatar(replace(avatar, bases=table, torso=code), tmp_path / "t.avatar", preview=avatar.plate)
    loaded = load_avatar(tmp_path / "t.avatar")
    assert loaded.torso is not None
    np.testing.assert_array_equal(loaded.torso.mean, mean)
    motion = true_tracking(take(30)).motion
    coefficients = loaded.coefficients(motion)
    assert coefficients.shape == (30, 7)
    torch.testing.assert_close(coefficients[:, 5:], code.coefficients(motion))
    torch.testing.assert_close(coefficients[:, :5], avatar.coefficients(motion))
    assert loaded.render(motion[:1]).std() > 1


def test_the_first_version_still_loads(avatar, path):
    """Nine rows of bases in half precision, no torso."""
    parts = safetensors.numpy.load(zipfile.ZipFile(path).read("motion.safetensors"))
    del parts["bases_shape"]
    parts["bases"] = (avatar.bases.numpy() / parts["bases_scale"]).astype(np.float16)
    old = changed(path, "motion.safetensors", safetensors.numpy.save(parts))
    meta = json.loads(zipfile.ZipFile(old).read("meta.json"))
    older = changed(old.rename(old.with_name("old.avatar")), "meta.json", json.dumps(meta | {"version": 1}).encode())
    loaded = load_avatar(older)
    assert loaded.torso is None
    torch.testing.assert_close(loaded.bases, avatar.bases, rtol=2e-3, atol=1e-5)


def test_a_voice_is_carried(avatar, tmp_path):
    voice = {"weights": np.arange(6, dtype=np.float32).reshape(2, 3), "offset": np.array([2], np.int32)}
    save_avatar(replace(avatar, voice=voice), tmp_path / "v.avatar", preview=avatar.plate)
    assert set(zipfile.ZipFile(tmp_path / "v.avatar").namelist()) == MEMBERS | {"voice.safetensors"}
    loaded = load_avatar(tmp_path / "v.avatar").voice
    assert loaded.keys() == voice.keys()
    for name, array in voice.items():
        np.testing.assert_array_equal(loaded[name], array)
        assert loaded[name].dtype == array.dtype


def test_the_preview(avatar, tmp_path):
    picture = np.random.default_rng(0).integers(0, 255, (20, 30, 3)).astype(np.uint8)
    save_avatar(avatar, tmp_path / "p.avatar", preview=picture)
    np.testing.assert_array_equal(read_preview(tmp_path / "p.avatar"), picture)


def test_another_version_is_refused_and_named(path):
    meta = json.loads(zipfile.ZipFile(path).read("meta.json"))
    other = changed(path, "meta.json", json.dumps(meta | {"version": VERSION + 3}).encode())
    with pytest.raises(FormatError, match=rf"avatar version {VERSION + 3}, this program reads versions 1 to {VERSION}"):
        load_avatar(other)


def test_no_such_file(tmp_path):
    with pytest.raises(FormatError, match=r"there is no avatar .*nobody\.avatar"):
        load_avatar(tmp_path / "nobody.avatar")


def test_a_folder(tmp_path):
    with pytest.raises(FormatError, match="is not an avatar"):
        load_avatar(tmp_path)


@pytest.mark.parametrize("content", [b"", b"some text", b"PK\x03\x04 but not really"])
def test_another_kind_of_file(tmp_path, content):
    path = tmp_path / "x.avatar"
    path.write_bytes(content)
    with pytest.raises(FormatError, match=r"x\.avatar is not an avatar"):
        load_avatar(path)


def test_another_zip(tmp_path):
    path = tmp_path / "x.avatar"
    with zipfile.ZipFile(path, "w") as other:
        other.writestr("readme.txt", "hello")
    with pytest.raises(FormatError, match=r"x\.avatar is not an avatar"):
        load_avatar(path)


@pytest.mark.parametrize("share", [0.3, 0.9, 0.999])
def test_a_file_that_was_cut_off(path, share):
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    with pytest.raises(FormatError, match="damaged"):
        load_avatar(path)


@pytest.mark.parametrize("name", sorted(MEMBERS - {"preview.png", "card.md"}))
def test_a_missing_member(path, name):
    with pytest.raises(FormatError, match="damaged"):
        load_avatar(changed(path, name, None))


def test_a_place_that_cannot_be_written(avatar, tmp_path):
    with pytest.raises(OutputError, match="does not exist"):
        save_avatar(avatar, tmp_path / "no" / "x.avatar", preview=avatar.plate)

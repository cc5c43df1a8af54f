"""What the torture found, once each."""

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
import torch
from tests.synthetic.bundles import changed
from tests.synthetic.performer import true_avatar
from tools.torture.mutate import bomb

from locutor.avatar.bundle import load_avatar, read_preview, save_avatar
from locutor.capture.image_store import MAGIC, ImageStore
from locutor.capture.performance import PerformanceMeta, Tracking
from locutor.core import archive
from locutor.core.archive import ArchiveError, load_arrays, open_archive
from locutor.core.errors import FormatError, MediaError
from locutor.drive.voice import VoiceModel
from locutor.fit.trainer import load_checkpoint
from locutor.media.pictures import decode_rgb, encode_jpeg, encode_png


@pytest.fixture
def path(tmp_path) -> Path:
    avatar = true_avatar()
    save_avatar(avatar, tmp_path / "someone.avatar", preview=avatar.plate)
    return tmp_path / "someone.avatar"


def test_a_bomb_is_not_unpacked(path, monkeypatch):
    monkeypatch.setattr(archive, "LARGEST", 16 << 20)  # of 1 GB: making a bomb of that size takes long
    load_avatar(path)
    path.write_bytes(bomb(path.read_bytes(), "voice.safetensors", 17 << 20))
    assert path.stat().st_size < 2 << 20
    with pytest.raises(FormatError, match="its members have"):
        load_avatar(path)


def test_names_that_lead_out_of_the_archive_lead_nowhere(path, tmp_path):
    with zipfile.ZipFile(path, "a") as bundle:
        bundle.writestr("../../escaped", b"x")
        bundle.writestr("/tmp/escaped", b"x")
    load_avatar(path)
    assert list(tmp_path.iterdir()) == [path]


def test_one_name_twice(path):
    with zipfile.ZipFile(path, "a") as bundle, pytest.warns(UserWarning, match="Duplicate"):
        bundle.writestr("meta.json", b"{}")
    with pytest.raises(FormatError, match="one name"):
        load_avatar(path)


def test_the_preview_of_a_damaged_avatar(path):
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(FormatError, match="damaged"):
        read_preview(path)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("quats", np.zeros((3, 4), np.float32)),
        ("colors", None),
        ("means", "nan"),
    ],
)
def test_gaussians_that_the_native_code_must_not_see(path, name, value):
    with zipfile.ZipFile(path) as bundle:
        tensors = safetensors.numpy.load(bundle.read("gaussians.safetensors"))
    if value is None:
        tensors[name] = tensors[name].astype(np.float64)
    elif isinstance(value, str):
        tensors[name] = np.full_like(tensors[name], np.nan)
    else:
        tensors[name] = value
    with pytest.raises(FormatError, match="damaged"):
        load_avatar(changed(path, "gaussians.safetensors", safetensors.numpy.save(tensors)))


@pytest.mark.parametrize(
    ("member", "name", "value"),
    [
        ("motion.safetensors", "bases_scale", 1e6),
        ("motion.safetensors", "controls.reference_wxyz", 0.0),
        ("motion.safetensors", "controls.std", np.nan),
        ("motion.safetensors", "network.out.bias", np.inf),
        ("idle.safetensors", "mean_wxyz", 0.0),
        ("idle.safetensors", "trace", np.nan),
    ],
)
def test_values_that_nothing_can_be_done_with(path, member, name, value):
    with zipfile.ZipFile(path) as bundle:
        tensors = safetensors.numpy.load(bundle.read(member))
    tensors[name] = np.full_like(tensors[name], value)
    with pytest.raises(FormatError, match="damaged"):
        load_avatar(changed(path, member, safetensors.numpy.save(tensors)))


@pytest.mark.parametrize("camera", [{"width": 10**9}, {"height": -1}, {"width": 64.5}, {"focal_px": 0}])
def test_pictures_of_absurd_size(path, camera):
    meta = json.loads(zipfile.ZipFile(path).read("meta.json"))
    meta["camera"] |= camera
    with pytest.raises(FormatError, match="damaged"):
        load_avatar(changed(path, "meta.json", json.dumps(meta).encode()))


def announced(size: int) -> bytes:
    """A PNG of a few bytes that says it is `size` px wide and high."""
    data = bytearray(encode_png(np.zeros((4, 4, 3), np.uint8)))
    data[16:24] = size.to_bytes(4, "big") * 2
    return bytes(data)


def test_a_picture_that_announces_too_much():
    with pytest.raises(MediaError, match="damaged"):
        decode_rgb(announced(60_000))
    jpeg = bytearray(encode_jpeg(np.zeros((8, 8, 3), np.uint8), 90))
    at = jpeg.index(b"\xff\xc0") + 5
    jpeg[at : at + 4] = b"\xff\xff\xff\xff"
    with pytest.raises(MediaError, match="damaged"):
        decode_rgb(bytes(jpeg))


@pytest.mark.parametrize("length", [0xF000_0000, 0x7FFF_FFFF, 1 << 20])
def test_a_chunk_of_a_picture_that_announces_too_much(length):
    """OpenCV took 3.8 GB for such 7 kB; `_decode` does not let it see them."""
    whole = encode_png(np.arange(40 * 56 * 3, dtype=np.uint32).astype(np.uint8).reshape(40, 56, 3))
    place = whole.index(b"IDAT") - 4
    with pytest.raises(MediaError, match="damaged"):
        decode_rgb(whole[:place] + length.to_bytes(4, "big") + whole[place + 4 :])
    with pytest.raises(MediaError, match="damaged"):
        decode_rgb(whole[:-1])
    assert decode_rgb(whole).shape == (40, 56, 3)


def test_other_formats_of_pictures_are_not_opened():
    import cv2

    for suffix in (".bmp", ".tiff", ".webp"):
        data = cv2.imencode(suffix, np.zeros((8, 8, 3), np.uint8))[1].tobytes()
        with pytest.raises(MediaError, match="damaged"):
            decode_rgb(data)


def npz(path: Path, header: str, data: bytes = b"") -> Path:
    text = header.encode().ljust(117) + b"\n"
    with zipfile.ZipFile(path, "w") as bundle:
        bundle.writestr("a.npy", b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + data)
    return path


@pytest.mark.parametrize(
    "header",
    [
        "{'descr': '<f8', 'fortran_order': False, 'shape': (999999999999,), }",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (-1,), }",
        "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (",
    ],
)
def test_arrays_that_announce_what_is_not_there(tmp_path, header):
    with pytest.raises((ArchiveError, ValueError)):
        load_arrays(npz(tmp_path / "a.npz", header))
    with pytest.raises(FormatError):
        Tracking.load(npz(tmp_path / "a.npz", header))


def test_arrays_come_back(tmp_path):
    arrays = {"a": np.arange(6.0).reshape(2, 3), "b": np.array("text"), "c": np.asfortranarray(np.eye(3)[:, :2])}
    np.savez_compressed(tmp_path / "a.npz", **arrays)
    loaded = load_arrays(tmp_path / "a.npz")
    assert loaded.keys() == arrays.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(loaded[name], array)


def test_too_many_members(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as bundle:
        for k in range(1001):
            bundle.writestr(str(k), b"")
    with pytest.raises(ArchiveError, match="1001 members"), open_archive(tmp_path / "a.zip"):
        pass


class Code:
    def __reduce__(self):
        return print, ("this must not be run",)


@pytest.mark.parametrize("content", ["code", "cut", "text", "tar", "other"])
def test_a_checkpoint_runs_no_code(tmp_path, content, capsys, monkeypatch):
    monkeypatch.setattr("tempfile.mkdtemp", lambda *_, **__: pytest.fail("unpacked to disk"))
    buffer = io.BytesIO()
    torch.save({"identity": Code()} if content == "code" else {"x": 1}, buffer)
    tar = b"sys_info".ljust(257, b"\0") + b"ustar"  # as torch 0.1 wrote them: torch unpacks these into a folder
    data = {"cut": buffer.getvalue()[:100], "text": b"hello", "tar": tar.ljust(10240, b"\0")}.get(
        content, buffer.getvalue()
    )
    (tmp_path / "c.pt").write_bytes(data)
    with pytest.raises(FormatError, match="damaged"):
        load_checkpoint(tmp_path / "c.pt")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("between", [[10**6], [8574853690513426796, 10160120711994843784]])
def test_a_store_whose_index_runs_backwards(tmp_path, between):
    offsets = np.array([len(MAGIC), *between, len(MAGIC) + 4], "<u8")
    (tmp_path / "a.images").write_bytes(MAGIC + b"abcd" + offsets.tobytes() + np.uint64(len(offsets)).tobytes())
    with pytest.raises(FormatError, match="damaged"):
        ImageStore(tmp_path / "a.images")


@pytest.mark.parametrize(
    "change",
    [{"n_frames": 10**12}, {"n_frames": 1.5}, {"start_s": float("nan")}, {"start_s": "0"}, {"quality": {"a": 1}}],
)
def test_pages_of_absurd_footage(performance, tmp_path, change):
    record = json.loads((performance.folder / "meta.json").read_text()) | change
    (tmp_path / "meta.json").write_text(json.dumps(record))
    with pytest.raises(FormatError, match="damaged"):
        PerformanceMeta.load(tmp_path / "meta.json")


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("dual", lambda a: a[:-1]),  # of other frames than the support
        ("basis", lambda a: a[:, :5]),
        ("limits", lambda a: a.astype("U8")),
        ("mel_support", lambda a: a[:0]),
        ("offset_frames", lambda a: a + 10**6),
    ],
)
def test_a_voice_whose_parts_do_not_fit_together(speaking_avatar, name, change):
    tensors = dict(speaking_avatar.voice)
    VoiceModel.from_tensors(tensors)
    with pytest.raises(FormatError, match="the voice model"):
        VoiceModel.from_tensors(tensors | {name: change(tensors[name])})

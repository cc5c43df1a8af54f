"""What is attacked: every loader of the project, with files to mutate and a way to read them."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import os
import re
import warnings
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import torch
from tools.torture.mutate import mutated_bytes, mutated_json, mutated_safetensors, pick, with_member

from locutor.avatar.avatar import Avatar
from locutor.avatar.bundle import load_avatar, read_preview, save_avatar
from locutor.capture.config import CaptureConfig
from locutor.capture.film import capture_film
from locutor.capture.image_store import ImageStore, ImageStoreWriter
from locutor.capture.performance import PerformanceMeta, Tracking
from locutor.core.camera import Camera
from locutor.core.errors import LocutorError, MediaError
from locutor.core.motion import Motion
from locutor.export.arkit_csv import read_arkit_csv, write_arkit_csv
from locutor.export.ply import gaussians_of, read_ply, write_ply
from locutor.fit.trainer import load_checkpoint
from locutor.live.say import speech_driver
from locutor.media.audio import audio_duration, read_audio_chunks
from locutor.media.pictures import decode_grey, decode_rgb, encode_jpeg, encode_png
from locutor.media.video import iterate_frames, probe_video
from locutor.media.writer import VideoWriter
from locutor.provenance.config import MarkConfig
from locutor.provenance.consent import Consent, parse_consent, template
from locutor.provenance.mark import make_mark
from locutor.provenance.verify import verify
from locutor.splat.bodies import CanonicalGaussians

Rng = np.random.Generator
FRAMES_READ = 200  # of one film: a damaged length can announce hours of one repeated picture


@dataclass(frozen=True)
class Target:
    """A loader under attack.

    Attributes:
        name: for the table.
        suffix: of the files.
        n: cases in a full run.
        make: a mutated file.
        read: what must end well or in a `LocutorError`.
        writes: it works in the folder of the file; else it must do nothing but read.
    """

    name: str
    suffix: str
    n: int
    make: Callable[[Rng], bytes]
    read: Callable[[Path], None]
    writes: bool = False


def targets(avatar: Avatar, performance: Path, work: Path) -> list[Target]:
    """All of them. `avatar` is small and speaks; `performance` is a folder with its footage."""
    path = work / "sample.avatar"
    consent = Consent.from_record(json.loads(template()), "template")
    save_avatar(
        dataclasses.replace(avatar, provenance=dataclasses.replace(avatar.provenance, consent=consent)),
        path,
        preview=avatar.plate,
    )
    bundle = path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    tensors = [name for name in parts if name.endswith(".safetensors")]

    def of_tensors(rng: Rng) -> bytes:
        name = pick(tensors, rng)
        return with_member(bundle, name, mutated_safetensors(parts[name], rng), rng)

    def of_page(rng: Rng) -> bytes:
        return with_member(bundle, "meta.json", mutated_json(parts["meta.json"], rng), rng)

    def of_zip(rng: Rng) -> bytes:
        if rng.random() < 0.5:
            return mutated_bytes([bundle], rng)
        name = pick(list(parts), rng)
        return with_member(bundle, name, mutated_bytes([parts[name]], rng), rng)

    tracking = [(performance / "tracking.npz").read_bytes(), _stored(performance / "tracking.npz")]
    meta = (performance / "meta.json").read_bytes()
    page = json.dumps(json.loads(template())).encode()
    pictures = _pictures()
    stores = [_store(work, lossless) for lossless in (False, True)]
    sounds, films = _sounds(), [_film(work, False), _film(work, True)]
    checkpoint = _checkpoint()
    ply, table = _ply(avatar, work), _table(work)
    filmed = (performance / "video.mp4").read_bytes()
    clips = _sample_clips()
    whole = Target("video: whole capture", ".mp4", 12, lambda r: mutated_bytes([filmed], r), _capture, writes=True)
    return [
        Target("avatar: zip", ".avatar", 10_000, of_zip, _read_avatar),
        Target("avatar: safetensors", ".avatar", 10_000, of_tensors, _read_avatar),
        Target("avatar: JSON", ".avatar", 10_000, of_page, _read_avatar),
        Target("performance: JSON", ".json", 10_000, lambda r: mutated_json(meta, r), _read_meta),
        Target("performance: tracking (npz)", ".npz", 10_000, lambda r: _mutated_npz(tracking, r), _read_tracking),
        Target("performance: image store", ".images", 10_000, lambda r: mutated_bytes(stores, r), _read_store),
        Target("consent: JSON", ".json", 10_000, lambda r: mutated_json(page, r), _read_consent),
        Target("picture: PNG, JPEG", ".png", 10_000, lambda r: mutated_bytes(pictures, r), _read_picture),
        Target("checkpoint (torch)", ".pt", 10_000, lambda r: mutated_bytes([checkpoint], r), _read_checkpoint),
        Target("Gaussians: PLY", ".ply", 10_000, lambda r: _mutated_text(ply, r), _read_ply),
        Target("motion: CSV", ".csv", 10_000, lambda r: _mutated_text(table, r), _read_table),
        Target("sound: wav, flac, ogg", ".wav", 10_000, lambda r: mutated_bytes(sounds, r), _read_sound),
        Target("video: mp4", ".mp4", 10_000, lambda r: mutated_bytes(films, r), _read_film),
        Target("C2PA manifest", ".mp4", 10_000, lambda r: mutated_bytes(films[1:], r), _read_manifest),
        *([Target("video: real clips", ".mpg", 500, lambda r: mutated_bytes(clips, r), _read_film)] if clips else []),
        *([whole] if os.environ.get("LOCUTOR_MODELS") else []),
    ]


def smaller(avatar: Avatar, n: int = 300, size: int = 64) -> Avatar:
    """The same avatar with few Gaussians and a small picture, so that ten thousand of them can be read."""
    moving = avatar.bases.shape[2]
    chosen = torch.cat([torch.arange(n - 50), torch.arange(moving, moving + 50)])
    scale = size / avatar.camera.width
    camera = Camera(size, size, avatar.camera.focal_px * scale, size / 2, size / 2)
    canonical = {f.name: getattr(avatar.canonical, f.name)[chosen] for f in dataclasses.fields(avatar.canonical)}
    return dataclasses.replace(
        avatar,
        canonical=CanonicalGaussians(**canonical),
        bases=avatar.bases[:, :, : n - 50].contiguous(),
        camera=camera,
        plate=np.full((size, size, 3), 90, np.uint8),
        voice={
            name: array[:64] if name.endswith("support") or name == "dual" else array
            for name, array in avatar.voice.items()
        },
        idle={name: array[:64] if len(array) > 64 else array for name, array in avatar.idle.items()},
    )


def _sample_clips() -> list[bytes]:
    """Short real films where there are any (LOCUTOR_MEDIA): another container and codecs than our own."""
    folder = Path(os.environ.get("LOCUTOR_MEDIA", "")) / "video"
    return [path.read_bytes() for path in sorted(folder.glob("grid_*.mpg"))[:4]]


def _read_avatar(path: Path) -> None:
    read_preview(path)
    avatar = load_avatar(path)
    with np.errstate(all="ignore"):
        avatar.render(_still(avatar))
        if avatar.voice:
            driver = speech_driver(avatar)
            state, _ = driver.step(driver.init(0), np.zeros(8_000, np.float32))
            driver.finish(state)


def _still(avatar: Avatar) -> Motion:
    one = np.array([[1, 0, 0, 0]], np.float32), avatar.controls.reference_xyz[None].copy()
    face = np.zeros((1, 120, 2), np.float32)
    return Motion(face=face, head_wxyz=one[0], head_xyz=one[1], torso_wxyz=one[0], torso_xyz=one[1])


def _read_meta(path: Path) -> None:
    PerformanceMeta.load(path)


def _read_tracking(path: Path) -> None:
    Tracking.load(path)


def _read_store(path: Path) -> None:
    store = ImageStore(path)
    for k in {0, len(store) // 2, len(store) - 1}:
        store.rgb(k)


def _read_consent(path: Path) -> None:
    parse_consent(path.read_bytes(), path.name).check(path.name)


def _read_picture(path: Path) -> None:
    decode_rgb(path.read_bytes())
    decode_grey(path.read_bytes())


def _read_ply(path: Path) -> None:
    read_ply(path)


def _read_table(path: Path) -> None:
    read_arkit_csv(path)


def _read_checkpoint(path: Path) -> None:
    load_checkpoint(path)


def _read_sound(path: Path) -> None:
    audio_duration(path)
    for n, _ in enumerate(read_audio_chunks(path)):
        if n > FRAMES_READ:
            break


def _read_film(path: Path) -> None:
    with contextlib.suppress(MediaError):  # no sound is no fault
        _read_sound(path)
    probe_video(path)
    for start_s in (0.0, 0.24):
        for n, _ in enumerate(iterate_frames(path, start_s=start_s)):
            if n > FRAMES_READ:
                break


def _capture(path: Path) -> None:
    for _ in capture_film(path, path.with_name("footage"), CaptureConfig(size=128, end_s=3.0)):
        pass


def _read_manifest(path: Path) -> None:
    verify(path).lines()


def refused(read: Callable[[Path], None], path: Path) -> bool:
    """Read a file; whether it was refused. Anything but a `LocutorError` is raised: that is a failure."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            read(path)
        except LocutorError:
            return True
    return False


def _stored(npz: Path) -> bytes:
    """Its first frames without compression: mutations reach headers and values."""
    out = io.BytesIO()
    with np.load(npz) as data:
        n_frames = len(data["landmark_steps"])
        arrays = {name: data[name][:4] if data[name].shape[:1] == (n_frames,) else data[name] for name in data}
    np.savez(out, allow_pickle=False, **arrays | {"reference_frame": np.int64(1)})
    return out.getvalue()


def _mutated_npz(samples: list[bytes], rng: Rng) -> bytes:
    if rng.random() < 0.5:
        return mutated_bytes(samples, rng)
    with zipfile.ZipFile(io.BytesIO(samples[1])) as archive:
        name = pick(archive.namelist(), rng)
        content = archive.read(name)
    if rng.random() < 0.5:  # another shape or kind in the header, of the same length
        shape = str(rng.choice(["(999999999999,)", "(-1, 4)", "(2, 2, 2)", "()", "(4294967296, 4294967296)"]))
        kind = str(rng.choice(["|O", "<f8", "<i2", "|V1000000000", "<U3", "<c16", "<M8[s]"]))
        text = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}".encode()
        content = content[:10] + text.ljust(len(content[10:128]) - 1)[:117] + b"\n" + content[128:]
    else:
        content = mutated_bytes([content], rng)
    return with_member(samples[1], name, content, rng)


def _pictures() -> list[bytes]:
    rgb = np.random.default_rng(0).integers(0, 255, (40, 56, 3), dtype=np.uint8)
    return [encode_png(rgb), encode_png(rgb[..., 0]), encode_jpeg(rgb, 90), encode_jpeg(rgb, 98, full_chroma=True)]


def _store(work: Path, lossless: bool) -> bytes:
    rng = np.random.default_rng(1)
    with ImageStoreWriter(work / "sample.images", lossless) as writer:
        for _ in range(4):
            writer.append(rng.integers(0, 255, (24, 32, 3), dtype=np.uint8))
    return (work / "sample.images").read_bytes()


def _sounds() -> list[bytes]:
    rng = np.random.default_rng(2)
    samples = rng.normal(0, 0.1, (6_000, 2)).astype(np.float32)
    kinds = (("WAV", "PCM_16"), ("WAV", "FLOAT"), ("WAV", "PCM_U8"), ("FLAC", "PCM_16"), ("OGG", "VORBIS"))
    out = []
    for kind, subtype in kinds:
        buffer = io.BytesIO()
        soundfile.write(buffer, samples, 22_050, format=kind, subtype=subtype)
        out.append(buffer.getvalue())
    return out


def _film(work: Path, marked: bool) -> bytes:
    rng = np.random.default_rng(3)
    path = work / "sample.mp4"
    mark = make_mark(MarkConfig(mark=marked), "0" * 16, None)
    with VideoWriter(path, 64, 48, overwrite=True, mark=mark) as writer:
        for k in range(12):
            writer.write_frame(np.roll(rng.integers(0, 255, (48, 64, 3), dtype=np.uint8), k, 1))
            writer.write_audio(rng.normal(0, 0.1, 640).astype(np.float32))
    return path.read_bytes()


def _ply(avatar: Avatar, work: Path) -> bytes:
    write_ply(gaussians_of(avatar, None), work / "sample.ply")
    return (work / "sample.ply").read_bytes()


def _table(work: Path) -> bytes:
    write_arkit_csv(Motion(blendshapes=np.random.default_rng(4).random((30, 52), np.float32)), work / "sample.csv")
    return (work / "sample.csv").read_bytes()


WORDS = (
    b"-1", b"1e400", b"nan", b"inf", b"99999999999999999999", b"0x10", b'"', b"\r", b"\0", b",,,,", b"list uchar int",
    b"double", b"element face 3\n", b"format ascii 1.0", "\u0661".encode(), b"a" * 200_000,
)  # fmt: skip


def _mutated_text(sample: bytes, rng: Rng) -> bytes:
    """Bytes anywhere, or another word in place of one of its first lines' words."""
    if rng.random() < 0.4:
        return mutated_bytes([sample], rng)
    words = re.split(rb"([ ,\n])", sample[:4000])
    for _ in range(int(rng.integers(1, 4))):
        words[int(rng.integers(len(words)))] = pick(list(WORDS), rng)
    return b"".join(words) + sample[4000:]


def _checkpoint() -> bytes:
    buffer = io.BytesIO()
    torch.save({"identity": {"a": 1}, "trained_s": 1.0, "training": {"x": torch.randn(20, 3), "n": [1, 2]}}, buffer)
    return buffer.getvalue()

"""The `.avatar` file: a zip of a JSON page, tensors and two pictures.

meta.json             version, camera, provenance, and under `consent` the record of it (null without one)
card.md               the model card, for people (`avatar/card.py`)
gaussians.safetensors canonical Gaussians
motion.safetensors    bases (16 and 8 bit), code networks of face and torso, control space
idle.safetensors      the person's idle movement
voice.safetensors     the person's voice model, when the footage had sound
plate.png             background
preview.png           a picture of the head
"""

from __future__ import annotations

import dataclasses
import datetime
import json
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
import torch
from jaxtyping import UInt8
from numpy import ndarray

from locutor.avatar.avatar import Avatar, Provenance
from locutor.avatar.card import model_card
from locutor.avatar.controls import ControlSpace
from locutor.avatar.field import CodeNetwork
from locutor.avatar.migrations import brought_up
from locutor.avatar.torso import TorsoCode
from locutor.core.archive import open_archive
from locutor.core.camera import Camera
from locutor.core.errors import ConsentError, FormatError, MediaError
from locutor.core.face import FACE_POINTS
from locutor.core.files import atomic_path
from locutor.core.text import one_line
from locutor.media.pictures import decode_rgb, encode_png
from locutor.provenance.consent import Consent
from locutor.provenance.revocation import require_consent
from locutor.splat.bodies import CanonicalGaussians

VERSION = 2  # older ones are brought up by `avatar/migrations.py`
LARGEST_SIDE = 4096  # px; a larger picture is a broken or a malicious file
META = "meta.json"
LARGEST_VALUE = 60_000.0  # as native/ refuses beyond it
N_SHIFTS, LEVELS = 3, 127
Arrays = dict[str, ndarray]
# What zipfile, zlib, json, safetensors, the picture decoder and torch raise on damaged bytes.
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    safetensors.SafetensorError,
    MediaError,
    OSError,
    EOFError,
    RuntimeError,
    KeyError,
    ValueError,
    TypeError,
    AttributeError,
    NotImplementedError,
    RecursionError,
    MemoryError,
)


def save_avatar(avatar: Avatar, path: Path, preview: UInt8[ndarray, "H W 3"]) -> None:
    """Write an avatar.

    Raises:
        OutputError: the place cannot be written to.
    """
    consent = avatar.provenance.consent
    provenance = dataclasses.asdict(dataclasses.replace(avatar.provenance, figures=dict(avatar.provenance.figures)))
    del provenance["consent"]  # it stands by itself, where servers and people find it
    meta = {
        "version": VERSION,
        "id": avatar.id,
        "camera": dataclasses.asdict(avatar.camera),
        "provenance": provenance,
        "consent": consent.as_record() if consent else None,
    }
    parts = {
        "card.md": model_card(avatar.id, avatar.provenance).encode(),
        "gaussians.safetensors": _tensors(_fields(avatar.canonical)),
        "motion.safetensors": _tensors(_motion_arrays(avatar)),
        "idle.safetensors": _tensors(dict(avatar.idle)),
        "plate.png": encode_png(avatar.plate),
        "preview.png": encode_png(preview),
    }
    if avatar.voice:
        parts["voice.safetensors"] = _tensors(dict(avatar.voice))
    _write(path, meta, parts)


def _write(path: Path, meta: dict[str, Any], parts: dict[str, bytes]) -> None:
    with atomic_path(path) as part, zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as bundle:
        bundle.writestr(META, json.dumps(meta, indent=1) + "\n")
        for name, data in parts.items():
            bundle.writestr(name, data)


def load_avatar(path: Path) -> Avatar:
    """Read an avatar.

    Raises:
        FormatError: no such file, not an avatar, damaged, or of a newer version.
        ConsentError: its person's consent has expired or was revoked. There is no way around it.
    """
    with _opened(path) as (bundle, meta):
        avatar = _assemble(bundle, meta)
    require_consent(avatar.provenance.consent, str(path))
    return avatar


def read_provenance(path: Path) -> tuple[str, Provenance]:
    """Id and provenance of an avatar, whatever has become of the consent; errors as in `load_avatar`."""
    with _opened(path) as (bundle, meta):
        avatar = _assemble(bundle, meta)
    return avatar.id, avatar.provenance


def stamp_revoked(path: Path, day: datetime.date) -> None:
    """Write into an avatar that its consent was revoked; everything else is kept to the byte.

    Raises:
        FormatError: as in `load_avatar`.
        ConsentError: the avatar has no consent that could be revoked.
        OutputError: the file cannot be written.
    """
    with _opened(path) as (bundle, meta):
        if meta["consent"] is None:
            raise ConsentError(f"{path} has no record of consent", "delete the file if it must not be used")
        members = {name: bundle.read(name) for name in bundle.namelist() if name != META}
    meta["consent"]["revoked_on"] = day.isoformat()
    _write(path, meta, members)


@contextmanager
def _opened(path: Path) -> Iterator[tuple[zipfile.ZipFile, dict[str, Any]]]:
    """An avatar file and its page, brought up to this version."""
    try:
        with open_archive(path) as bundle:
            meta = json.loads(bundle.read(META))
            _check_version(path, meta)
            yield bundle, brought_up(meta)
    except FileNotFoundError as error:
        raise FormatError(f"there is no avatar {path}", "make one: locutor train VIDEO -o NAME.avatar") from error
    except _DAMAGE as error:
        raise FormatError(
            f"{path} is not an avatar, or it is damaged ({one_line(error)})",
            "train it again or get an undamaged copy",
        ) from error


def read_preview(path: Path) -> UInt8[ndarray, "H W 3"]:
    """The picture in an avatar file.

    Raises:
        FormatError: as in `load_avatar`.
    """
    with _opened(path) as (bundle, _):
        return decode_rgb(bundle.read("preview.png"))


def _check_version(path: Path, meta: dict[str, Any]) -> None:
    version = meta.get("version")
    if version not in range(1, VERSION + 1):
        raise FormatError(
            f"{path} has avatar version {one_line(version)}, this program reads versions 1 to {VERSION}",
            "install the version of locutor that wrote it, or train it again",
        )


def _motion_arrays(avatar: Avatar) -> Arrays:
    arrays = {f"controls.{name}": value for name, value in _fields(avatar.controls).items()}
    arrays |= {f"network.{name}": value.numpy() for name, value in avatar.network.state_dict().items()}
    if avatar.torso is not None:
        arrays |= {"torso.mean": avatar.torso.mean, "torso.std": avatar.torso.std}
        arrays |= {f"torso.network.{name}": value.numpy() for name, value in avatar.torso.network.state_dict().items()}
    # Values scaled to 1 per basis and channel. Displacements in half precision: below a hundredth of a pixel. Sizes and
    # turns in 8 bits: below a hundredth of a Gaussian's own size.
    scale = avatar.bases.abs().amax(2, keepdim=True).clamp_min(1e-12)
    unit = avatar.bases / scale
    arrays["bases"] = unit[:, :N_SHIFTS].to(torch.float16).numpy()
    arrays["bases_shape"] = torch.round(unit[:, N_SHIFTS:] * LEVELS).to(torch.int8).numpy()
    arrays["bases_scale"] = scale.numpy()
    return arrays


def _assemble(bundle: zipfile.ZipFile, meta: dict[str, Any]) -> Avatar:
    gaussians = safetensors.numpy.load(bundle.read("gaussians.safetensors"))
    motion = safetensors.numpy.load(bundle.read("motion.safetensors"))
    voice = safetensors.numpy.load(bundle.read("voice.safetensors")) if "voice.safetensors" in bundle.namelist() else {}
    unit = motion["bases"].astype(np.float32)
    if "bases_shape" in motion:  # version 1 has all nine rows in half precision
        unit = np.concatenate([unit, motion["bases_shape"].astype(np.float32) / LEVELS], 1)
    bases = torch.from_numpy(unit * motion["bases_scale"])
    controls = ControlSpace(**_with_prefix(motion, "controls."))
    torso = _with_prefix(motion, "torso.")
    avatar = Avatar(
        canonical=CanonicalGaussians(**{name: torch.from_numpy(value) for name, value in gaussians.items()}),
        bases=bases,
        network=_network(_with_prefix(motion, "network.")),
        controls=controls,
        camera=Camera(**meta["camera"]),
        plate=decode_rgb(bundle.read("plate.png")),
        provenance=Provenance(**meta["provenance"], consent=_consent(meta["consent"])),
        idle=safetensors.numpy.load(bundle.read("idle.safetensors")),
        voice=voice,
        torso=TorsoCode(torso["mean"], torso["std"], _network(_with_prefix(torso, "network."))) if torso else None,
    )
    _check_shapes(avatar)
    return avatar


def _consent(record: dict[str, Any] | None) -> Consent | None:
    try:
        return None if record is None else Consent.from_record(record, "its consent")
    except ConsentError as error:  # nobody wrote it by hand: the file is damaged
        raise ValueError(error.what) from error


def _check_shapes(avatar: Avatar) -> None:
    """What the native code relies on: a file is checked here, once, and not at every frame."""
    canonical, controls, camera = avatar.canonical, avatar.controls, avatar.camera
    n, (k, rows, m), p = len(canonical), avatar.bases.shape, len(controls.components)
    shapes = {"means": (n, 3), "quats": (n, 4), "log_scales": (n, 3), "logit_opacities": (n,), "colors": (n, 3)}
    shapes["logit_attachment"] = (n,)
    for name, shape in shapes.items():
        tensor = getattr(canonical, name)
        if tensor.dtype != torch.float32 or tensor.shape != shape or not _bearable(tensor):
            raise ValueError(f"{name} of the Gaussians is of another shape or kind, or not finite")
    if rows != 9 or m > n or k == 0 or not _bearable(avatar.bases):
        raise ValueError("the bases do not belong to the Gaussians")
    f = len(controls.mean)
    wanted = {"components": (p, 2 * len(FACE_POINTS)), "face_mean": (2 * len(FACE_POINTS),), "mean": (f,), "std": (f,)}
    for name, shape in (wanted | {"reference_wxyz": (4,), "reference_xyz": (3,)}).items():
        array = getattr(controls, name)
        if array.dtype != np.float32 or array.shape != shape or not np.isfinite(array).all():
            raise ValueError(f"{name} of the controls is of another shape or kind, or not finite")
    if any(np.linalg.norm(wxyz, axis=-1).min() < 0.5 for wxyz in (controls.reference_wxyz, *_turns(avatar.idle))):
        raise ValueError("a rotation has no direction")
    sides = (camera.width, camera.height)
    if any(type(side) is not int or not 0 < side <= LARGEST_SIDE for side in sides):
        raise ValueError(f"a picture of {camera.width} x {camera.height} px")
    if not all(np.isfinite(x) for x in (camera.focal_px, camera.cx, camera.cy)) or camera.focal_px <= 0:
        raise ValueError("the camera has no focal length")
    if avatar.plate.shape != (camera.height, camera.width, 3):
        raise ValueError("the plate has another size than the picture")
    for name, array in {**avatar.idle, **avatar.voice}.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise ValueError(f"{name} of voice or idle movement is not finite")
    if not all(parameter.isfinite().all() for parameter in avatar.network.parameters()):
        raise ValueError("the network is not finite")


def _bearable(tensor: torch.Tensor) -> bool:
    """Finite, and within what the native code takes."""
    return bool((tensor.abs() <= LARGEST_VALUE).all())


def _turns(idle: Mapping[str, ndarray]) -> Iterator[ndarray]:
    return (array for name, array in idle.items() if name.endswith("wxyz") and array.size)


def _network(weights: Arrays) -> CodeNetwork:
    n_bases, n_controls = weights["direct.weight"].shape
    network = CodeNetwork(n_controls, n_bases)
    network.load_state_dict({name: torch.from_numpy(value) for name, value in weights.items()})
    return network.eval()


def _fields(value: Any) -> Arrays:
    return {f.name: np.asarray(getattr(value, f.name)) for f in dataclasses.fields(value)}


def _tensors(arrays: Arrays) -> bytes:
    return safetensors.numpy.save({name: np.ascontiguousarray(array) for name, array in arrays.items()})


def _with_prefix(arrays: Arrays, prefix: str) -> Arrays:
    return {name.removeprefix(prefix): value for name, value in arrays.items() if name.startswith(prefix)}

"""The `.avatar` file: a zip of a JSON page, tensors and two pictures.

meta.json             version, camera, control space's shape, provenance
gaussians.safetensors canonical Gaussians
motion.safetensors    bases (16 and 8 bit), code networks of face and torso, control space
idle.safetensors      the person's idle movement
voice.safetensors     the person's voice model, when the footage had sound
plate.png             background
preview.png           a picture of the head
"""

from __future__ import annotations

import dataclasses
import json
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
import torch
from jaxtyping import UInt8
from numpy import ndarray

from locutor.avatar.avatar import Avatar, Provenance
from locutor.avatar.controls import ControlSpace
from locutor.avatar.field import CodeNetwork
from locutor.avatar.torso import TorsoCode
from locutor.core.camera import Camera
from locutor.core.errors import FormatError, MediaError
from locutor.core.files import atomic_path
from locutor.media.pictures import decode_rgb, encode_png
from locutor.splat.bodies import CanonicalGaussians

VERSION = 2
READABLE = (1, 2)  # 1 has no bases for the torso
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
)


def save_avatar(avatar: Avatar, path: Path, preview: UInt8[ndarray, "H W 3"]) -> None:
    """Write an avatar.

    Raises:
        OutputError: the place cannot be written to.
    """
    meta = {
        "version": VERSION,
        "camera": dataclasses.asdict(avatar.camera),
        "provenance": dataclasses.asdict(avatar.provenance),
    }
    parts = {
        "gaussians.safetensors": _tensors(_fields(avatar.canonical)),
        "motion.safetensors": _tensors(_motion_arrays(avatar)),
        "idle.safetensors": _tensors(dict(avatar.idle)),
        "plate.png": encode_png(avatar.plate),
        "preview.png": encode_png(preview),
    }
    if avatar.voice:
        parts["voice.safetensors"] = _tensors(dict(avatar.voice))
    with atomic_path(path) as part, zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as bundle:
        bundle.writestr("meta.json", json.dumps(meta, indent=1) + "\n")
        for name, data in parts.items():
            bundle.writestr(name, data)


def load_avatar(path: Path) -> Avatar:
    """Read an avatar.

    Raises:
        FormatError: no such file, not an avatar, damaged, or of another version.
    """
    try:
        with zipfile.ZipFile(path) as bundle:
            meta = json.loads(bundle.read("meta.json"))
            _check_version(path, meta)
            return _assemble(bundle, meta)
    except FileNotFoundError as error:
        raise FormatError(f"there is no avatar {path}", "make one: locutor train VIDEO -o NAME.avatar") from error
    except _DAMAGE as error:
        raise FormatError(
            f"{path} is not an avatar, or it is damaged ({error})", "train it again or get an undamaged copy"
        ) from error


def read_preview(path: Path) -> UInt8[ndarray, "H W 3"]:
    """The picture in an avatar file."""
    with zipfile.ZipFile(path) as bundle:
        return decode_rgb(bundle.read("preview.png"))


def _check_version(path: Path, meta: dict[str, Any]) -> None:
    version = meta.get("version")
    if version not in READABLE:
        raise FormatError(
            f"{path} has avatar version {version}, this program reads versions up to {VERSION}",
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
    return Avatar(
        canonical=CanonicalGaussians(**{name: torch.from_numpy(value) for name, value in gaussians.items()}),
        bases=bases,
        network=_network(_with_prefix(motion, "network.")),
        controls=controls,
        camera=Camera(**meta["camera"]),
        plate=decode_rgb(bundle.read("plate.png")),
        provenance=Provenance(**meta["provenance"]),
        idle=safetensors.numpy.load(bundle.read("idle.safetensors")),
        voice=voice,
        torso=TorsoCode(torso["mean"], torso["std"], _network(_with_prefix(torso, "network."))) if torso else None,
    )


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

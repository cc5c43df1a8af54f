"""An avatar as the browser reads it: one JSON page, one binary file, one picture (docs/bake.md).

The binary holds what goes to the graphics card as it stands: the Gaussians as rows of four texels, the bases in half
precision in the order of the texture's layers, in blocks without the rows that are zero. Nothing in it is derived
in a lossy way besides that precision, which is the render loop's own (docs/rasteriser.md), and the JPEG of the plate.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float16, Float32
from numpy import ndarray

from locutor.avatar.avatar import Avatar
from locutor.avatar.controls import LIMIT
from locutor.avatar.sliders import sliders
from locutor.core.clock import FPS
from locutor.core.files import atomic_path, refuse_existing_folder
from locutor.core.motion import Motion
from locutor.media.pictures import encode_jpeg

VERSION = 2
PAGE, BINARY, PLATE = "avatar.json", "avatar.bin", "plate.jpg"
PLATE_QUALITY = 95
ALIGNMENT = 16


def bake_for_web(avatar: Avatar, folder: Path, name: str = "") -> None:
    """Write `avatar.json`, `avatar.bin` and `plate.jpg` into `folder`, which is made.

    Args:
        avatar: who is baked.
        folder: appears under its name only when it is whole.
        name: what the page calls the avatar.

    Raises:
        OutputError: the folder exists or cannot be written to.
    """
    refuse_existing_folder(folder)
    blocks = _blocks(avatar)
    parts: dict[str, ndarray] = {
        "gaussians": _gaussians(avatar),
        **{block.part: block.rows for block in blocks},
        "bases_scale": _bases_scale(avatar)[:, :, 0].numpy(),
        **{f"network.{key}": value.numpy() for key, value in avatar.network.state_dict().items()},
    }
    binary, table = _pack(parts)
    about = [{"part": b.part, "first_basis": b.first_basis, "first_gaussian": b.first_gaussian} for b in blocks]
    page = _page(avatar, name) | {"bases": about, "parts": table, "sha256": hashlib.sha256(binary).hexdigest()}
    with atomic_path(folder) as part:
        part.mkdir()
        (part / BINARY).write_bytes(binary)
        (part / PLATE).write_bytes(encode_jpeg(avatar.plate, PLATE_QUALITY, full_chroma=True))
        (part / PAGE).write_text(json.dumps(page, indent=1) + "\n")


def _page(avatar: Avatar, name: str) -> dict[str, Any]:
    controls, consent = avatar.controls, avatar.provenance.consent
    face = np.zeros((1, len(controls.face_mean) // 2, 2), np.float32)
    wxyz, xyz = controls.reference_wxyz[None], controls.reference_xyz[None]
    reference = Motion(face=face, head_wxyz=wxyz, head_xyz=xyz, torso_wxyz=wxyz, torso_xyz=xyz)
    n_face = len(avatar.network.out.bias)
    return {
        "format": "locutor-bake",
        "version": VERSION,
        "name": name,
        "n_gaussians": len(avatar.canonical),
        "n_moved": avatar.bases.shape[2],
        "n_bases": avatar.bases.shape[0],
        "n_controls": len(controls.mean),
        "fps": FPS,
        "camera": dataclasses.asdict(avatar.camera),
        "binary": BINARY,
        "plate": PLATE,
        "rest": {
            "controls": _list(controls.encode(reference)[0]),
            "torso_coefficients": _list(avatar.coefficients(reference)[0, n_face:].numpy()),
            "wxyz": _list(controls.reference_wxyz),
            "xyz": _list(controls.reference_xyz),
        },
        "control_std": _list(controls.std),
        "control_limit": LIMIT,
        "sliders": [dataclasses.asdict(s) | {"direction": _list(s.direction)} for s in sliders(controls)],
        "synthetic": avatar.provenance.synthetic,
        "consent": consent.id if consent else "",
    }


def _gaussians(avatar: Avatar) -> Float32[ndarray, "N 16"]:
    """Mean and attachment; orientation; log-scales and opacity; colour and a zero."""
    c = avatar.canonical
    quats = c.quats / c.quats.norm(dim=1, keepdim=True)
    columns = [
        c.means, torch.sigmoid(c.logit_attachment)[:, None], quats, c.log_scales,
        torch.sigmoid(c.logit_opacities)[:, None], c.colors, torch.zeros(len(c), 1),
    ]  # fmt: skip
    return torch.cat(columns, 1).numpy()


def _bases_scale(avatar: Avatar) -> torch.Tensor:
    return avatar.bases.abs().amax(2, keepdim=True).clamp_min(1e-12)


@dataclasses.dataclass(frozen=True)
class _Block:
    """Some bases over those Gaussians that they move; they are zero elsewhere.

    Attributes:
        part: its name in the binary.
        first_basis, first_gaussian: where it stands in the whole table.
        rows: displacement, log-scale and rotation of every basis, each a layer of triples scaled to 1 per channel.
    """

    part: str
    first_basis: int
    first_gaussian: int
    rows: Float16[ndarray, "k 3 m 3"]


def _blocks(avatar: Avatar) -> list[_Block]:
    """The face's bases and the torso's: neither moves what the other does."""
    scaled = (avatar.bases / _bases_scale(avatar)).to(torch.float16)
    layers = scaled.unflatten(1, (3, 3)).transpose(2, 3)
    n_face, blocks = len(avatar.network.out.bias), []
    for part, first, last in (("bases.face", 0, n_face), ("bases.torso", n_face, len(layers))):
        moved = torch.nonzero((avatar.bases[first:last] != 0).flatten(0, 1).any(0))[:, 0]
        if len(moved):
            begin, end = int(moved[0]), int(moved[-1]) + 1
            blocks.append(_Block(part, first, begin, layers[first:last, :, begin:end].contiguous().numpy()))
    return blocks


def _pack(parts: dict[str, ndarray]) -> tuple[bytes, dict[str, Any]]:
    blob, table = bytearray(), {}
    for name, array in parts.items():
        blob += bytes(-len(blob) % ALIGNMENT)
        little = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
        table[name] = {"offset": len(blob), "type": str(array.dtype), "shape": list(array.shape)}
        blob += little.tobytes()
    return bytes(blob), table


def _list(values: ndarray) -> list[float]:
    return [float(value) for value in values]

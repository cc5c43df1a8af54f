"""Gaussians as PLY in the form of 3D Gaussian Splatting (Kerbl et al. 2023), which viewers and editors open.

Scales are logarithms, opacities logits, quaternions wxyz, and the colour is the constant term of spherical harmonics:
`rgb = .5 + SH_C0 f_dc`. The axes stay the project's: x right, y down, z away from the camera.
"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from locutor.avatar.avatar import Avatar, body_pose
from locutor.core.errors import FormatError
from locutor.core.files import atomic_path
from locutor.core.motion import Motion
from locutor.core.text import one_line
from locutor.splat.bodies import BodyPose
from locutor.splat.gaussians import Gaussians
from locutor.splat.posing import pose_gaussians

MOST_HEADER_LINES, LONGEST_LINE = 200, 400
SH_C0 = 0.28209479177387814  # 1 / (2 sqrt(pi))
PROPERTIES = (
    "x", "y", "z", "nx", "ny", "nz", "f_dc_0", "f_dc_1", "f_dc_2", "opacity",
    "scale_0", "scale_1", "scale_2", "rot_0", "rot_1", "rot_2", "rot_3",
)  # fmt: skip


def write_ply(gaussians: Gaussians, path: Path) -> None:
    """Write binary little-endian PLY.

    Raises:
        OutputError: the place cannot be written to.
    """
    columns = [
        gaussians.means,
        torch.zeros(len(gaussians), 3),
        (gaussians.colors - 0.5) / SH_C0,
        torch.logit(gaussians.opacities, eps=1e-7)[:, None],
        gaussians.scales.log(),
        gaussians.quats / gaussians.quats.norm(dim=1, keepdim=True),
    ]
    header = ["ply", "format binary_little_endian 1.0", f"element vertex {len(gaussians)}"]
    header += [f"property float {name}" for name in PROPERTIES] + ["end_header", ""]
    with atomic_path(path) as part:
        part.write_bytes("\n".join(header).encode() + torch.cat(columns, 1).numpy().astype("<f4").tobytes())


def read_ply(path: Path) -> Gaussians:
    """Gaussians of a binary little-endian PLY of floats, ours or another program's; of colour the constant term.

    Raises:
        FormatError: the file is not there, or not of this form.
    """
    again = "export it as binary little-endian PLY of 3D Gaussian Splatting"
    try:
        with path.open("rb") as file:
            names, count = _header(file)
            if path.stat().st_size - file.tell() < 4 * count * len(names):
                raise ValueError("it is shorter than its header says")
            values = np.fromfile(file, "<f4", count * len(names)).reshape(count, len(names))
        columns = [names.index(name) for name in PROPERTIES if not name.startswith("n")]
    except (OSError, ValueError, IndexError, OverflowError) as error:
        raise FormatError(f"{path} cannot be read as Gaussians ({one_line(error)[:120]})", again) from error
    table = torch.from_numpy(np.ascontiguousarray(values[:, columns], np.float32))
    means, colors, opacities, scales, quats = table.split((3, 3, 1, 3, 4), dim=1)
    read = Gaussians(means, quats, scales.exp(), torch.sigmoid(opacities[:, 0]), 0.5 + SH_C0 * colors)
    if not all(part.isfinite().all() for part in (read.means, read.quats, read.scales, read.colors)):
        raise FormatError(f"{path} has values that are not numbers", again)
    return read


def _header(file: BinaryIO) -> tuple[list[str], int]:
    """Names of the vertex's properties, and how many vertices there are."""
    names: list[str] = []
    count = -1
    for number in range(MOST_HEADER_LINES):
        words = file.readline(LONGEST_LINE).decode("ascii").split()
        match words:
            case ["ply"] if number == 0:
                pass
            case ["format", "binary_little_endian", "1.0"] | ["comment", *_]:
                pass
            case ["element", "vertex", n] if count < 0 and n.isdigit():
                count = int(n)
            case ["property", "float", name] if count >= 0:
                names.append(name)
            case ["end_header"] if count >= 0 and names:
                return names, count
            case _:
                raise ValueError(f"its header says {' '.join(words)[:60]!r}")
    raise ValueError("its header does not end")


def gaussians_of(avatar: Avatar, motion: Motion | None) -> Gaussians:
    """A frame of the avatar with the reference head at the origin.

    Args:
        avatar: who.
        motion: one frame with `face`, `head` and `torso`; the neutral face in the reference pose if None.
    """
    motion = motion or _neutral(avatar)
    origin = torch.from_numpy(avatar.controls.reference_xyz)
    pose = body_pose(motion, 0)
    centred = BodyPose(
        R_world_head=pose.R_world_head,
        head_xyz=pose.head_xyz - origin,
        head_wxyz=pose.head_wxyz,
        R_world_torso=pose.R_world_torso,
        torso_xyz=pose.torso_xyz - origin,
        torso_wxyz=pose.torso_wxyz,
    )
    return pose_gaussians(avatar.canonical, _delta(avatar, motion), centred)


def _delta(avatar: Avatar, motion: Motion) -> Float[Tensor, "9 N"]:
    delta = torch.zeros(9, len(avatar.canonical))
    delta[:, : avatar.bases.shape[2]] = torch.einsum("k,kcm->cm", avatar.coefficients(motion)[0], avatar.bases)
    return delta


def _neutral(avatar: Avatar) -> Motion:
    controls = avatar.controls
    wxyz, xyz = controls.reference_wxyz[None], controls.reference_xyz[None]
    face = np.zeros((1, len(controls.face_mean) // 2, 2), np.float32)
    return Motion(face=face, head_wxyz=wxyz, head_xyz=xyz, torso_wxyz=wxyz, torso_xyz=xyz)

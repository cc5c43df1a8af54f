"""Where a training runs."""

from __future__ import annotations

from dataclasses import fields
from typing import TypeVar

import torch
from torch import Tensor

from locutor.core.errors import LocutorError
from locutor.splat.bodies import BodyPose, CanonicalGaussians
from locutor.splat.cuda import require_cuda

Record = TypeVar("Record", BodyPose, CanonicalGaussians)


def training_device(name: str) -> torch.device:
    """The device called `name`, once it is known to work.

    Raises:
        LocutorError: it is neither `cpu` nor a CUDA device.
        MissingPartError: there is no CUDA device, or gsplat is missing.
    """
    if name != "cpu" and name.split(":")[0] != "cuda":
        raise LocutorError(f"{name!r} is not a device that training knows", "use cpu, or cuda on an NVIDIA GPU")
    if name != "cpu":
        require_cuda()
    return torch.device(name)


def to_device(record: Record, device: torch.device) -> Record:
    """All tensors of a record on a device; gradients flow through."""
    moved: dict[str, Tensor] = {f.name: getattr(record, f.name).to(device) for f in fields(record)}
    return type(record)(**moved)

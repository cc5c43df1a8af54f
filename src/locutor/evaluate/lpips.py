"""LPIPS (Zhang et al. 2018) with weights of the user's: none are shipped, none are fetched.

`lpips_alex.safetensors` in $LOCUTOR_MODELS holds AlexNet's convolutions under torchvision's names
(`features.0.weight` ... `features.10.bias`) and the five heads `lin0.weight` ... `lin4.weight` (docs/evaluation.md).
"""

from __future__ import annotations

import os
from pathlib import Path

import torch
from jaxtyping import Float, UInt8
from numpy import ndarray
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional

from locutor.core.errors import ModelFileError

NAME = "lpips_alex.safetensors"
# AlexNet as torchvision numbers it: layer, stride, padding, and whether a pool comes before.
LAYERS = ((0, 4, 2, False), (3, 1, 2, True), (6, 1, 1, True), (8, 1, 1, False), (10, 1, 1, False))
SHIFT, SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)  # of pictures in -1..1 (the authors' code)


class Lpips:
    """The distance: 0 for the same picture. Any widths of the layers are taken as they are in the file."""

    def __init__(self, tensors: dict[str, Tensor]) -> None:
        """Args: tensors: by the names above."""
        self._convolutions = [(tensors[f"features.{k}.weight"], tensors[f"features.{k}.bias"]) for k, *_ in LAYERS]
        self._heads = [tensors[f"lin{k}.weight"].reshape(1, -1, 1, 1) for k in range(len(LAYERS))]

    @torch.no_grad()
    def __call__(self, truth: UInt8[ndarray, "H W 3"], other: UInt8[ndarray, "H W 3"]) -> float:
        """Distance of two pictures of one size, at least 64 px."""
        a, b = self._features(truth), self._features(other)
        layers = zip(a, b, self._heads, strict=True)
        return float(sum((((x - y) ** 2) * head).sum(1).mean() for x, y, head in layers))

    def _features(self, rgb: UInt8[ndarray, "H W 3"]) -> list[Float[Tensor, "1 C h w"]]:
        x = torch.from_numpy(rgb.copy()).permute(2, 0, 1)[None].float() / 127.5 - 1
        x = (x - torch.tensor(SHIFT).view(1, 3, 1, 1)) / torch.tensor(SCALE).view(1, 3, 1, 1)
        features = []
        for (_, stride, padding, pooled), (weight, bias) in zip(LAYERS, self._convolutions, strict=True):
            x = functional.conv2d(functional.max_pool2d(x, 3, 2) if pooled else x, weight, bias, stride, padding).relu()
            features.append(x / (x.norm(dim=1, keepdim=True) + 1e-10))
        return features


def find_lpips() -> Lpips | None:
    """The user's, where there is one.

    Raises:
        ModelFileError: the file is there and is not what it should be.
    """
    path = Path(os.environ.get("LOCUTOR_MODELS", "")) / NAME
    if not os.environ.get("LOCUTOR_MODELS") or not path.is_file():
        return None
    try:
        found = Lpips({name: tensor.float() for name, tensor in load_file(path).items()})
        found(*[torch.zeros(64, 64, 3, dtype=torch.uint8).numpy()] * 2)
    except (SafetensorError, KeyError, RuntimeError, ValueError, OSError) as error:
        raise ModelFileError(f"{path} does not hold LPIPS ({error})", "see docs/evaluation.md, or remove it") from error
    return found

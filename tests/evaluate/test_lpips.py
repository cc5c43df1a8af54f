import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from locutor.core.errors import ModelFileError
from locutor.evaluate.lpips import LAYERS, NAME, find_lpips

WIDTHS = (4, 6, 6, 5, 4)
KERNELS = (11, 5, 3, 3, 3)


def tiny() -> dict[str, torch.Tensor]:
    """AlexNet's shape with a handful of channels."""
    generator = torch.Generator().manual_seed(0)
    tensors, before = {}, 3
    for k, ((layer, *_), width, kernel) in enumerate(zip(LAYERS, WIDTHS, KERNELS, strict=True)):
        tensors[f"features.{layer}.weight"] = torch.randn(width, before, kernel, kernel, generator=generator) / kernel
        tensors[f"features.{layer}.bias"] = torch.zeros(width)
        tensors[f"lin{k}.weight"] = torch.rand(1, width, 1, 1, generator=generator)
        before = width
    return tensors


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("LOCUTOR_MODELS", str(tmp_path))
    return tmp_path


def test_a_distance_that_grows(folder):
    save_file(tiny(), folder / NAME)
    lpips = find_lpips()
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 255, (96, 80, 3), dtype=np.uint8)
    noisy = [np.clip(truth + rng.normal(0, s, truth.shape), 0, 255).astype(np.uint8) for s in (0, 10, 40)]
    distances = [lpips(truth, other) for other in noisy]
    assert distances[0] == 0
    assert distances == sorted(distances)
    assert distances[1] > 0
    assert lpips(truth, noisy[2]) == pytest.approx(lpips(noisy[2], truth))


def test_without_a_file_there_is_none(folder):
    assert find_lpips() is None


@pytest.mark.parametrize("spoil", ["bytes", "missing", "shape"])
def test_a_file_that_is_not_it_is_refused(folder, spoil):
    tensors = tiny()
    if spoil == "missing":
        del tensors["lin3.weight"]
    if spoil == "shape":
        tensors["features.3.weight"] = torch.zeros(6, 9, 5, 5)
    save_file(tensors, folder / NAME)
    if spoil == "bytes":
        (folder / NAME).write_bytes(b"not safetensors")
    with pytest.raises(ModelFileError, match="does not hold LPIPS"):
        find_lpips()

"""Training where native code does not run: the same code, through the twins and gsplat."""

from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.synthetic.fake_gsplat import FakeGsplat

from locutor.capture.performance import Performance
from locutor.cli import verbs
from locutor.core.errors import LocutorError, MissingPartError
from locutor.fit.adam import Adam
from locutor.fit.adam_torch import TorchAdam
from locutor.fit.config import TrainConfig
from locutor.fit.device import training_device
from locutor.fit.frame_feed import feed_frames
from locutor.fit.relocate import relocate
from locutor.fit.training import Training
from locutor.splat import dispatch

TINY = TrainConfig(n_gaussians=120, n_mouth=10, n_bases=3, n_iterations=3)
needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
without_cuda = pytest.mark.skipif(torch.cuda.is_available(), reason="for machines without a CUDA device")


def trained(performance: Performance, config: TrainConfig) -> tuple[Training, list[float]]:
    training = Training(performance, config)
    frames = islice(feed_frames(performance, config, 0), config.n_iterations)
    return training, [float(training.step(frame).loss.detach()) for frame in frames]


def assert_alike(other: Training, native: Training) -> None:
    """By Adam's first moments, which are sums of gradients: its steps show the sign of the smallest rounding error."""
    for name, truth in native.model.optimiser.first.items():
        if name != "quats":  # no gradient yet: Gaussians start round
            assert (other.model.optimiser.first[name].cpu() - truth).norm() <= 0.02 * truth.norm(), name
    truth = native.model.face.optimiser.rows
    assert (other.model.face.optimiser.rows.cpu() - truth).norm() <= 0.02 * truth.norm()
    pictures = [training.picture(5).astype(int) for training in (other, native)]
    assert np.abs(pictures[0] - pictures[1]).mean() < 0.2


def test_the_twins_learn_what_native_code_learns(
    monkeypatch, performance: Performance, fake_gsplat: FakeGsplat
) -> None:
    """The path of a GPU, played on the CPU: gsplat by our reference, the rest by itself."""
    native, native_losses = trained(performance, TINY)
    monkeypatch.setattr(dispatch, "runs_native", lambda _: False)
    other, losses = trained(performance, TINY)
    assert isinstance(other.model.optimiser, TorchAdam)
    assert isinstance(native.model.optimiser, Adam)
    assert len(fake_gsplat.calls) == TINY.n_iterations
    np.testing.assert_allclose(losses, native_losses, rtol=1e-3)
    assert_alike(other, native)


def test_a_relocation_is_the_same_with_either_optimiser(monkeypatch, performance: Performance) -> None:
    moved = []
    for native in (True, False):
        monkeypatch.setattr(dispatch, "runs_native", lambda _, native=native: native)
        training = Training(performance, TINY)
        with torch.no_grad():
            training.model.canonical.logit_opacities[:60] = -6
            training.model.canonical.logit_opacities[60:] = 2
        training._meter.pull += 1
        assert relocate(training.model, training._meter, torch.Generator().manual_seed(4)) > 0
        moved.append(training.model.canonical.means.detach())
    assert torch.equal(*moved)


def parameters() -> dict[str, torch.Tensor]:
    rng = torch.Generator().manual_seed(2)
    return {"a": torch.randn(30, 3, generator=rng), "b": torch.randn(4, 5, 6, generator=rng)}


def test_the_optimiser_is_the_native_one() -> None:
    ours, native = (kind(parameters(), (0.9, 0.99), 1e-15) for kind in (TorchAdam, Adam))
    rng = torch.Generator().manual_seed(3)
    for i in range(6):
        gradient = torch.randn(30, 3, generator=rng)
        other = torch.randn(4, 5, 6, generator=rng)
        for optimiser in (ours, native):
            optimiser.parameters["a"].grad = gradient.clone()
            optimiser.parameters["b"].grad = other.clone()
            optimiser.step({"a": 1e-2, "b": 3e-3 / (i + 1)})
            if i == 2:
                optimiser.forget("b", torch.tensor([1, 4]), axis=1)
    for name in ("a", "b"):
        torch.testing.assert_close(ours.parameters[name], native.parameters[name], rtol=1e-5, atol=1e-6)
        torch.testing.assert_close(ours.second[name], native.second[name], rtol=1e-5, atol=1e-8)
    ours.zero_grad()
    with pytest.raises(ValueError, match="a has no gradient"):
        ours.step({"a": 1.0, "b": 1.0})
    again = TorchAdam(parameters(), (0.9, 0.99), 1e-15)
    again.restore(native.state())
    assert again.steps == 6
    assert torch.equal(again.first["b"], native.first["b"])


def test_an_unknown_device_is_refused() -> None:
    assert training_device("cpu") == torch.device("cpu")
    with pytest.raises(LocutorError, match="'tpu' is not a device"):
        training_device("tpu")


@without_cuda
def test_train_says_at_once_that_there_is_no_gpu(tmp_path: Path) -> None:
    events = verbs.train(tmp_path / "film.mp4", tmp_path / "a.avatar", False, TrainConfig(device="cuda"))
    with pytest.raises(MissingPartError, match="no CUDA device"):
        next(events)
    assert list(tmp_path.iterdir()) == []


@needs_cuda
def test_training_on_the_gpu_is_training_on_the_cpu(performance: Performance) -> None:
    pytest.importorskip("gsplat")
    on_cpu, cpu_losses = trained(performance, TINY)
    on_gpu, losses = trained(performance, TrainConfig(**TINY.__dict__ | {"device": "cuda"}))
    assert on_gpu.model.bases.is_cuda
    np.testing.assert_allclose(losses, cpu_losses, rtol=1e-2)
    assert_alike(on_gpu, on_cpu)
    assert not on_gpu.avatar(1.0).bases.is_cuda

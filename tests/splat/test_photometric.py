"""The fused loss against its PyTorch twin, and both against scikit-image."""

import numpy as np
import pytest
import torch
from skimage.metrics import structural_similarity

from locutor.splat.engine import Engine, available_isas
from locutor.splat.photometric import photometric_loss, photometric_loss_reference


def picture(height: int, width: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """A picture that leaves [0, 1] here and there, a target near it, and a weight."""
    rng = torch.Generator().manual_seed(seed)
    target = torch.randint(0, 256, (height, width, 3), generator=rng, dtype=torch.uint8)
    rendered = target / 255 + 0.2 * torch.randn(height, width, 3, generator=rng)
    return rendered, target, torch.rand(height, width, generator=rng) * 3


@pytest.mark.parametrize("size", [(1, 1), (3, 40), (17, 16), (33, 65), (130, 50)])
@pytest.mark.parametrize("ssim_weight", [0.0, 0.2, 1.0])
def test_native_agrees_with_the_reference(engine, size, ssim_weight) -> None:
    rendered, target, weight = picture(*size)
    leaf = rendered.clone().requires_grad_()
    ours = photometric_loss(leaf, target, weight, ssim_weight, engine)
    (3 * ours.loss).backward()
    leaf64 = rendered.double().requires_grad_()
    truth = photometric_loss_reference(leaf64, target, weight.double(), ssim_weight)
    (3 * truth.loss).backward()
    for name in ("l1", "ssim", "mse"):
        assert getattr(ours, name) == pytest.approx(getattr(truth, name), rel=1e-4, abs=1e-6)
    assert ours.loss.item() == pytest.approx(truth.loss.item(), rel=1e-4)
    assert (leaf.grad - leaf64.grad).norm() < 1e-4 * leaf64.grad.norm()


def test_reference_gradient_agrees_with_finite_differences() -> None:
    rendered, target, weight = picture(3, 4)

    def loss(x: torch.Tensor) -> torch.Tensor:
        return photometric_loss_reference(x, target, weight.double(), 0.4).loss

    assert torch.autograd.gradcheck(loss, rendered.double().requires_grad_())


def test_ssim_is_the_usual_one_away_from_the_border() -> None:
    rendered, target, _ = picture(40, 40)
    usual, per_pixel = structural_similarity(
        rendered.clamp(0, 1).numpy(), target.numpy().astype(np.float32) / 255, data_range=1, channel_axis=2,
        gaussian_weights=True, sigma=1.5, use_sample_covariance=False, full=True, truncate=5 / 1.5,
    )  # fmt: skip
    inside = torch.zeros(40, 40)
    inside[10:30, 10:30] = 1
    ours = photometric_loss(rendered.clamp(0, 1), target, inside, 1.0).loss.item()
    assert ours == pytest.approx((1 - per_pixel[10:30, 10:30]).sum() / (3 * 40 * 40), rel=1e-3)
    assert usual < 1


def test_a_perfect_picture_costs_nothing(engine) -> None:
    _, target, weight = picture(20, 30)
    perfect = (target / 255).requires_grad_()
    loss = photometric_loss(perfect, target, weight, 0.3, engine)
    loss.loss.backward()
    assert loss.loss.item() == pytest.approx(0, abs=1e-6)
    assert (loss.l1, loss.mse) == (0, 0)
    assert loss.ssim == pytest.approx(1, abs=1e-6)
    assert perfect.grad.abs().max() < 1e-6


def test_layout_and_threads_do_not_matter() -> None:
    rendered, target, weight = picture(300, 40)
    planar = rendered.permute(2, 0, 1).contiguous().permute(1, 2, 0)
    isa = available_isas()[-1]
    losses = [
        photometric_loss(rendered, target, weight, 0.2, Engine(1, isa)),
        photometric_loss(planar, target, weight, 0.2, Engine(2, isa)),
        photometric_loss(planar, target, weight, 0.2, Engine(7, isa)),
    ]
    assert len({loss.loss.item() for loss in losses}) == 1


def test_wrong_input_is_refused_by_name(engine) -> None:
    rendered, target, weight = picture(10, 12)
    with pytest.raises(ValueError, match=r"weight has shape \[10, 11\], expected \[10, 12\]"):
        engine.photometric_loss(rendered, target, weight[:, :11].contiguous(), 0.2, torch.empty(3, 10, 12))
    with pytest.raises(ValueError, match=r"rendered is torch\.float64"):
        photometric_loss(rendered.double(), target, weight, 0.2)
    with pytest.raises(ValueError, match=r"weight is torch\.float64"):
        photometric_loss(rendered, target, weight.double(), 0.2)

"""Extra channels of the native rasteriser, drawn in the same pass as the colours."""

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor

from locutor.core.camera import Camera
from locutor.splat.cpu import rasterize
from locutor.splat.engine import Engine, available_isas
from locutor.splat.gaussians import Gaussians
from locutor.splat.reference import rasterize_reference
from locutor.splat.rendering import Rendering

FIELDS = ("means", "quats", "scales", "opacities", "colors")


def values(n: int, channels: int) -> Tensor:
    return torch.randn(n, channels, generator=torch.Generator().manual_seed(n + channels))


def gradients(drawn: Rendering, on: list[Tensor | None], leaves: Gaussians, extra: Tensor) -> dict[str, Tensor]:
    """Of the sum of rgb, alpha and extra, each weighted by its tensor of `on` or left out."""
    pictures = (drawn.rgb, drawn.alpha, drawn.extra)
    total = sum((p * w.to(p.dtype)).sum() for p, w in zip(pictures, on, strict=True) if p is not None and w is not None)
    of = [getattr(leaves, name) for name in FIELDS] + [extra]
    found = torch.autograd.grad(total, of, materialize_grads=True)
    return {name: g.double() for name, g in zip((*FIELDS, "extra"), found, strict=True)}


def weights(camera: Camera, channels: int, steady: Tensor) -> list[Tensor | None]:
    rng = torch.Generator().manual_seed(3)
    size = (camera.height, camera.width)
    shapes = [(*size, 3), size, (*size, channels)]
    masks = [steady[..., None], steady, steady[..., None]]
    return [torch.randn(shape, generator=rng) * mask for shape, mask in zip(shapes, masks, strict=True)]


@pytest.mark.parametrize("channels", [1, 3, 5])
@pytest.mark.parametrize("only_extra", [False, True])
def test_pictures_and_gradients_agree_with_the_reference(
    scene, converted, fragile, engine, channels, only_extra
) -> None:
    gaussians, camera, background = scene(150, 50, 41, seed=channels, scale=0.1)
    steady = ~fragile(gaussians, camera)
    on = weights(camera, channels, steady)
    if only_extra:
        on[0] = on[1] = None
    extra64 = values(150, channels).double().requires_grad_()
    extra32 = values(150, channels).requires_grad_()
    leaves64, leaves32 = converted(gaussians, torch.float64, True), converted(gaussians, torch.float32, True)
    truth = rasterize_reference(leaves64, camera, background.double(), extra64)
    drawn = rasterize(leaves32, camera, background, extra32, engine)
    assert steady.float().mean() > 0.8
    assert (drawn.extra - truth.extra)[steady].abs().max() < 2e-4 * max(1.0, truth.extra.abs().max().item())
    expected = gradients(truth, on, leaves64, extra64)
    for name, ours in gradients(drawn, on, leaves32, extra32).items():
        assert (ours - expected[name]).norm() <= 1e-4 * expected[name].norm() + 1e-9, name


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    n=st.integers(0, 40), width=st.integers(1, 70), height=st.integers(1, 70), channels=st.integers(1, 9),
    isa=st.sampled_from(available_isas()),
)  # fmt: skip
def test_any_shape_agrees_with_the_reference(scene, converted, fragile, n, width, height, channels, isa) -> None:
    gaussians, camera, background = scene(n, width, height, seed=n, scale=0.2)
    extra = values(n, channels)
    drawn = rasterize(gaussians, camera, background, extra, Engine(1, isa)).extra
    truth = rasterize_reference(converted(gaussians, torch.float64), camera, background.double(), extra.double()).extra
    assert drawn.shape == (height, width, channels)
    assert torch.where(fragile(gaussians, camera)[..., None], 0, drawn - truth).abs().max() < 1e-3


def test_the_other_pictures_and_their_gradients_are_the_same_to_the_last_bit(scene, converted, engine) -> None:
    gaussians, camera, background = scene(400, 70, 50)
    on_rgb = torch.randn(50, 70, 3)
    found = []
    for extra in (None, values(400, 4)):
        leaves = converted(gaussians, torch.float32, True)
        drawn = rasterize(leaves, camera, background, extra, engine)
        (drawn.rgb * on_rgb).sum().backward()
        found.append([drawn.rgb, drawn.alpha, *(getattr(leaves, name).grad for name in FIELDS)])
        assert (drawn.extra is None) == (extra is None)
    assert all(torch.equal(a, b) for a, b in zip(*found, strict=True))


def test_colours_as_extra_channels_give_the_colours_over_black(scene, engine) -> None:
    gaussians, camera, background = scene(300, 64, 64)
    drawn = rasterize(gaussians, camera, torch.zeros_like(background), gaussians.colors, engine)
    assert torch.allclose(drawn.extra, drawn.rgb, rtol=0, atol=1e-6)


def test_depth_pulls_at_the_means(scene, converted, fragile, engine) -> None:
    """z as an extra channel: its gradient arrives through the values and through the weights."""
    gaussians, camera, background = scene(100, 40, 40, scale=0.1)
    steady = ~fragile(gaussians, camera)
    found = []
    for dtype, draw in ((torch.float64, rasterize_reference), (torch.float32, rasterize)):
        leaves = converted(gaussians, dtype, True)
        drawn = draw(leaves, camera, background.to(dtype), leaves.means[:, 2:])
        depth = drawn.extra[..., 0] / drawn.alpha.clamp(min=0.05)
        found.append(torch.autograd.grad((depth * steady).sum(), leaves.means)[0].double())
    assert (found[1] - found[0]).norm() < 1e-4 * found[0].norm()


def test_gradients_do_not_depend_on_threads_or_layout(scene, converted) -> None:
    gaussians, camera, background = scene(2000, 150, 110)
    on = torch.randn(110, 150, 2)
    found = []
    for threads, weight in ((1, on), (2, on), (5, on.permute(2, 0, 1).contiguous().permute(1, 2, 0))):
        leaves, extra = converted(gaussians, torch.float32, True), values(2000, 2).requires_grad_()
        drawn = rasterize(leaves, camera, background, extra, Engine(threads, available_isas()[-1]))
        found.append([drawn.extra, *torch.autograd.grad(drawn.extra, [leaves.means, extra], weight)])
    assert all(torch.equal(a, b) for other in found[1:] for a, b in zip(found[0], other, strict=True))


@pytest.mark.parametrize("value", [float("nan"), float("-inf")])
def test_a_value_that_is_not_finite_is_refused(scene, engine, value) -> None:
    gaussians, camera, background = scene(700, 30, 30)
    extra = values(700, 3)
    extra[650, 1] = value
    with pytest.raises(ValueError, match="extra holds a value that is NaN or infinite"):
        rasterize(gaussians, camera, background, extra, engine)


@pytest.mark.filterwarnings("ignore")
def test_a_wrong_shape_or_dtype_is_refused(scene) -> None:
    gaussians, camera, background = scene(10, 30, 30)
    for shape, message in (((11, 2), r"extra has shape \[11, 2\], expected \[10, 2\]"), ((10, 0), "C from 1")):
        with pytest.raises(ValueError, match=message):
            rasterize(gaussians, camera, background, torch.zeros(shape))
    with pytest.raises(ValueError, match=r"extra is torch\.float64"):
        rasterize(gaussians, camera, background, torch.zeros(10, 1, dtype=torch.float64))

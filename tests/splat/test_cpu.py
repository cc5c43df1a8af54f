"""The native rasteriser against the float64 reference, for every instruction set."""

from dataclasses import replace

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from locutor.core.camera import Camera
from locutor.splat.cpu import rasterize
from locutor.splat.engine import Engine, available_isas
from locutor.splat.gaussians import Gaussians
from locutor.splat.reference import rasterize_reference

FIELDS = ("means", "quats", "scales", "opacities", "colors")


def changed(gaussians: Gaussians, **change) -> Gaussians:
    return replace(gaussians, **{name: f(getattr(gaussians, name)) for name, f in change.items()})


def ordinary(scene):
    return scene(150, 64, 64)


def needles(scene):
    g, camera, background = scene(60, 64, 48, seed=1)
    return changed(g, scales=lambda s: s * torch.tensor([60.0, 0.02, 0.02])), camera, background


def huge(scene):
    g, camera, background = scene(20, 70, 50, seed=2)
    return changed(g, scales=lambda s: s * 100, opacities=lambda o: o * 0.3), camera, background


def specks(scene):
    return scene(150, 64, 48, seed=3, scale=1e-4)


def opaque(scene):
    g, camera, background = scene(150, 40, 40, seed=4, scale=0.2)
    return changed(g, opacities=lambda o: 1 - 0.02 * o), camera, background


def some_behind(scene):
    g, camera, background = scene(120, 48, 48, seed=5)
    return (
        changed(g, means=lambda m: m - torch.tensor([0.0, 0.0, 4.0]) * (torch.arange(120) % 2)[:, None]),
        camera,
        background,
    )


def off_screen(scene):
    g, camera, background = scene(100, 33, 65, seed=6)
    return changed(g, means=lambda m: m * torch.tensor([3.0, 3.0, 1.0])), camera, background


def beside(scene):
    """Large Gaussians beyond the limit of x/z that still reach into the picture."""
    g, camera, background = scene(60, 48, 40, seed=7, scale=0.6)
    return (
        changed(g, means=lambda m: m * torch.tensor([3.0, 3.0, 1.0]), opacities=lambda o: o * 0.5),
        camera,
        background,
    )


SCENES = [ordinary, needles, huge, specks, opaque, some_behind, off_screen, beside]


class Case:
    """One scene with its truth: picture, and gradients for a random weighting of all pixels that are not fragile."""

    def __init__(self, make, scene, converted, fragile) -> None:
        self.gaussians, self.camera, self.background = make(scene)
        self.steady = ~fragile(self.gaussians, self.camera)
        rng = torch.Generator().manual_seed(0)
        self.on_rgb = torch.randn(self.background.shape, generator=rng) * self.steady[..., None]
        self.on_alpha = torch.randn(self.steady.shape, generator=rng) * self.steady
        leaves = converted(self.gaussians, torch.float64, requires_grad=True)
        self.truth, self.true_gradients = self.drawn_by(rasterize_reference, leaves)

    def drawn_by(self, draw, leaves: Gaussians):
        dtype = leaves.means.dtype
        drawn = draw(leaves, self.camera, self.background.to(dtype))
        ((drawn.rgb * self.on_rgb.to(dtype)).sum() + (drawn.alpha * self.on_alpha.to(dtype)).sum()).backward()
        return drawn, [getattr(leaves, name).grad.double() for name in FIELDS]


@pytest.fixture(scope="module", params=SCENES, ids=lambda make: make.__name__)
def case(request, scene, converted, fragile) -> Case:
    return Case(request.param, scene, converted, fragile)


def test_picture_and_gradients_agree_with_the_reference(case, converted, engine) -> None:
    leaves = converted(case.gaussians, torch.float32, requires_grad=True)
    drawn, gradients = case.drawn_by(lambda *a: rasterize(*a, engine=engine), leaves)
    assert case.steady.float().mean() > 0.5
    assert (drawn.rgb - case.truth.rgb)[case.steady].abs().max() < 2e-4
    assert (drawn.alpha - case.truth.alpha)[case.steady].abs().max() < 2e-4
    for name, truth, ours in zip(FIELDS, case.true_gradients, gradients, strict=True):
        assert torch.isfinite(ours).all(), name
        assert (ours - truth).norm() <= 3e-4 * truth.norm() + 1e-9, name


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    n=st.integers(0, 40), width=st.integers(1, 70), height=st.integers(1, 70), seed=st.integers(0, 2**16),
    log_scale=st.floats(-4, 1),
)  # fmt: skip
def test_any_shape_agrees_with_the_reference(scene, converted, fragile, n, width, height, seed, log_scale) -> None:
    gaussians, camera, background = scene(n, width, height, seed=seed, scale=10**log_scale)
    drawn = rasterize(gaussians, camera, background)
    truth = rasterize_reference(converted(gaussians, torch.float64), camera, background.double())
    assert drawn.rgb.shape == (height, width, 3)
    assert torch.where(fragile(gaussians, camera)[..., None], 0, drawn.rgb - truth.rgb).abs().max() < 2e-3


@pytest.mark.parametrize("behind", [False, True])
def test_nothing_to_draw_gives_the_background(scene, engine, behind) -> None:
    gaussians, camera, background = scene(50 if behind else 0, 45, 37)
    gaussians = changed(gaussians, means=lambda m: m * torch.tensor([1.0, 1.0, -1.0]))
    leaves = Gaussians(*(getattr(gaussians, name).requires_grad_() for name in FIELDS))
    drawn = rasterize(leaves, camera, background, engine=engine)
    assert torch.equal(drawn.rgb, background)
    assert drawn.alpha.abs().max() == 0
    drawn.rgb.sum().backward()
    assert all(not getattr(leaves, name).grad.any() for name in FIELDS)


def test_gradients_do_not_depend_on_threads(scene, converted) -> None:
    gaussians, camera, background = scene(3000, 200, 150)
    results = []
    for threads in (1, 2, 5):
        leaves = converted(gaussians, torch.float32, requires_grad=True)
        drawn = rasterize(leaves, camera, background, engine=Engine(threads, available_isas()[-1]))
        drawn.rgb.square().sum().backward()
        results.append([drawn.rgb.detach(), drawn.alpha.detach(), *(getattr(leaves, name).grad for name in FIELDS)])
    for other in results[1:]:
        assert all(torch.equal(a, b) for a, b in zip(results[0], other, strict=True))


def test_memory_layout_of_background_and_gradient_does_not_matter(scene, converted, engine) -> None:
    gaussians, camera, background = scene(100, 50, 41)
    planar = background.permute(2, 0, 1).contiguous().permute(1, 2, 0)
    upside_down = background.flip(0).contiguous().flip(0)
    on_rgb = torch.randn(41, 50, 3)
    pictures, gradients = [], []
    for i, view in enumerate([background, planar, upside_down, torch.cat([background, background], 1)[:, :50]]):
        leaves = converted(gaussians, torch.float32, requires_grad=True)
        drawn = rasterize(leaves, camera, view, engine=engine)
        weight = on_rgb if i % 2 else on_rgb.permute(2, 0, 1).contiguous().permute(1, 2, 0)
        gradients.append(torch.autograd.grad(drawn.rgb, leaves.means, weight)[0])
        pictures.append(drawn.rgb)
    assert all((p - pictures[0]).abs().max() < 1e-6 for p in pictures)
    assert all(torch.allclose(g, gradients[0], rtol=1e-4, atol=1e-5 * gradients[0].abs().max()) for g in gradients)


def test_an_expanded_gradient_is_read_correctly(scene, converted, engine) -> None:
    gaussians, camera, background = scene(50, 40, 40)
    leaves = [converted(gaussians, torch.float32, requires_grad=True) for _ in range(2)]
    rasterize(leaves[0], camera, background, engine=engine).rgb.sum().backward()
    (rasterize(leaves[1], camera, background, engine=engine).rgb * torch.ones(40, 40, 3)).sum().backward()
    assert torch.equal(leaves[0].means.grad, leaves[1].means.grad)


def test_two_pictures_may_wait_for_their_backward_passes(scene, converted, engine) -> None:
    (a, camera, background), (b, _, _) = scene(80, 40, 40, seed=0), scene(90, 40, 40, seed=1)
    alone = converted(a, torch.float32, requires_grad=True)
    rasterize(alone, camera, background, engine=engine).rgb.square().sum().backward()
    first, second = converted(a, torch.float32, True), converted(b, torch.float32, True)
    pictures = [rasterize(g, camera, background, engine=engine).rgb for g in (first, second)]
    sum(p.square().sum() for p in pictures).backward()
    assert torch.equal(first.means.grad, alone.means.grad)


def test_the_background_gets_no_gradient(scene, converted) -> None:
    gaussians, camera, background = scene(20, 30, 30)
    leaf = background.clone().requires_grad_()
    leaves = converted(gaussians, torch.float32, requires_grad=True)
    rasterize(leaves, camera, leaf).rgb.sum().backward()
    assert leaf.grad is None


@pytest.mark.parametrize("name", FIELDS)
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_value_that_is_not_finite_is_refused_by_name(scene, engine, name, value) -> None:
    gaussians, camera, background = scene(700, 30, 30)
    getattr(gaussians, name).view(-1)[-1] = value
    with pytest.raises(ValueError, match=f"{name} holds a value that is NaN or infinite"):
        rasterize(gaussians, camera, background, engine=engine)


def test_what_cannot_be_drawn_is_refused_by_name(scene, converted) -> None:
    gaussians, camera, background = scene(10, 30, 20)
    with pytest.raises(ValueError, match=r"background has shape \[20, 30, 3\], expected \[30, 30, 3\]"):
        rasterize(gaussians, replace(camera, height=30), background)
    with pytest.raises(ValueError, match=r"means is torch\.float64"):
        rasterize(converted(gaussians, torch.float64), camera, background)
    with pytest.raises(ValueError, match="width and height"):
        rasterize(gaussians, Camera(0, 20, 1.0, 0.0, 0.0), background)


def test_many_sizes_of_list_and_tile_edge(scene, converted, engine) -> None:
    """More Gaussians in one tile than one chunk holds, at sizes around the edges of tiles and sub-tiles."""
    for width, height in ((1, 1), (7, 9), (31, 33), (32, 32)):
        gaussians, camera, background = scene(600, width, height, seed=width, scale=0.02)
        gaussians = changed(gaussians, opacities=lambda o: 0.05 + 0.02 * o)
        drawn = rasterize(gaussians, camera, background, engine=engine)
        truth = rasterize_reference(converted(gaussians, torch.float32), camera, background)
        assert (drawn.rgb - truth.rgb).abs().mean() < 1e-3

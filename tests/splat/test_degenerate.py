"""Scenes at the edge of what the native rasteriser can be asked, and the border between its two widths of indices."""

from dataclasses import replace

import pytest
import torch

from locutor.core.camera import Camera
from locutor.splat.cpu import rasterize
from locutor.splat.gaussians import Gaussians
from locutor.splat.reference import rasterize_reference

FIELDS = ("means", "quats", "scales", "opacities", "colors")


def drawn_with_gradients(gaussians: Gaussians, camera: Camera, background, engine) -> list[torch.Tensor]:
    leaves = Gaussians(*(getattr(gaussians, name).clone().requires_grad_() for name in FIELDS))
    extra = (gaussians.colors[:, :1] - 0.5).requires_grad_()
    drawn = rasterize(leaves, camera, background, extra, engine)
    (drawn.rgb.square().sum() + drawn.alpha.sum() + drawn.extra.square().sum()).backward()
    return [drawn.rgb, drawn.alpha, drawn.extra, *(getattr(leaves, name).grad for name in FIELDS), extra.grad]


def one(z: float = 4.0, scale: float = 0.1, opacity: float = 0.9, quat: tuple = (1.0, 0, 0, 0)) -> Gaussians:
    t = torch.tensor
    return Gaussians(t([[0.0, 0, z]]), t([quat]), t([[scale] * 3]), t([opacity]), t([[1.0, 0.5, 0.25]]))


CAMERA = Camera(40, 30, 60.0, 20.0, 15.0)
NOTHING = {
    "no opacity": one(opacity=0.0),
    "opacity below the cut": one(opacity=0.0039),
    "just before the near plane": one(z=torch.nextafter(torch.tensor(0.01), torch.tensor(0.0)).item()),
    "at the camera": one(z=0.0),
    "behind the camera": one(z=-4.0),
    "a quaternion of norm 0": one(quat=(0.0, 0, 0, 0)),
    "a footprint beyond float32": one(scale=1e25),
}


@pytest.mark.parametrize("name", NOTHING)
def test_what_draws_nothing_leaves_the_background_and_has_no_gradient(engine, name) -> None:
    background = torch.rand(30, 40, 3)
    rgb, alpha, extra, *gradients = drawn_with_gradients(NOTHING[name], CAMERA, background, engine)
    assert torch.equal(rgb, background)
    assert not alpha.any()
    assert not extra.any()
    assert all(not g.any() for g in gradients)  # NaN would be true


def test_a_gaussian_at_the_near_plane_is_drawn(engine, converted) -> None:
    """f/z is 6000 px per unit here: the ball covers the picture many times over."""
    background = torch.rand(30, 40, 3)
    for scale in (1e-3, 0.1):
        gaussians = one(z=0.01, scale=scale)
        truth = rasterize_reference(converted(gaussians, torch.float64), CAMERA, background.double())
        rgb, *rest = drawn_with_gradients(gaussians, CAMERA, background, engine)
        assert truth.alpha.max() > 0.89
        assert (rgb - truth.rgb).abs().max() < 1e-4
        assert all(torch.isfinite(t).all() for t in rest)


@pytest.mark.parametrize("stretch", [(1e6, 1e6, 1e6), (1e4, 1e-6, 1e-6), (1e4, 1e4, 1e-7), (0.0, 0.0, 0.0)])
def test_extreme_scales_stay_finite(scene, engine, converted, fragile, stretch) -> None:
    gaussians, camera, background = scene(60, 50, 40, seed=9)
    gaussians = replace(gaussians, scales=gaussians.scales * torch.tensor(stretch), opacities=gaussians.opacities * 0.2)
    truth = rasterize_reference(converted(gaussians, torch.float64), camera, background.double())
    rgb, *rest = drawn_with_gradients(gaussians, camera, background, engine)
    steady = ~fragile(gaussians, camera)
    assert steady.float().mean() > 0.5
    assert (rgb - truth.rgb)[steady].abs().max() < 5e-3
    assert all(torch.isfinite(t).all() for t in rest)


@pytest.mark.parametrize("n", [65_535, 65_536, 65_537])
def test_16_and_32_bit_indices_draw_the_same(scene, engine, n) -> None:
    """The seen Gaussians, spread over all indices with the last among them, against the same ones drawn alone."""
    seen, camera, background = scene(300, 40, 33, seed=1)
    at = torch.linspace(0, n - 1, 300).round().long()
    filled = scene(1, 40, 33)[0]
    filled = Gaussians(*(getattr(filled, name).expand(n, *getattr(filled, name).shape[1:]).clone() for name in FIELDS))
    filled.opacities[:] = 1e-3
    for name in FIELDS:
        getattr(filled, name)[at] = getattr(seen, name)
    alone, among = (drawn_with_gradients(g, camera, background, engine) for g in (seen, filled))
    assert all(torch.allclose(a, b, rtol=0, atol=1e-5) for a, b in zip(alone[:3], among[:3], strict=True))
    for a, b in zip(alone[3:], among[3:], strict=True):  # other places in a vector may round otherwise
        assert (a - b[at]).norm() <= 1e-5 * a.norm()
        assert b.count_nonzero() == b[at].count_nonzero()


def test_a_crowded_picture_does_not_change_when_the_indices_widen(scene, engine) -> None:
    crowd, camera, background = scene(65_536, 64, 64, seed=2, scale=0.004)
    crowd = replace(crowd, opacities=crowd.opacities * 0.1)
    one_more = Gaussians(*(torch.cat([getattr(crowd, name), getattr(crowd, name)[:1]]) for name in FIELDS))
    one_more.opacities[-1] = 0
    narrow, wide = (drawn_with_gradients(g, camera, background, engine) for g in (crowd, one_more))
    assert all(torch.equal(a, b[: len(a)]) for a, b in zip(narrow, wide, strict=True))
    assert narrow[1].mean() > 0.6  # a crowd
    assert narrow[3].any(1).float().mean() > 0.3  # of which many are seen

"""gsplat behind our protocol: what we hand over, everywhere; the pictures and gradients, where there is a GPU."""

import inspect
import sys
from dataclasses import fields

import numpy as np
import pytest
import torch
from tests.splat.test_posing_batch import random_canonical, random_pose

from locutor.core.camera import Camera
from locutor.core.errors import MissingPartError
from locutor.splat import dispatch
from locutor.splat.bodies import BodyPose, CanonicalGaussians
from locutor.splat.cuda import load_gsplat, rasterize_cuda, require_cuda
from locutor.splat.cuda_renderer import CudaRenderer
from locutor.splat.gaussians import Gaussians
from locutor.splat.reference import rasterize_reference
from locutor.splat.renderer import NativeRenderer

try:
    from gsplat import rasterization as gsplat_rasterization
except ImportError:
    gsplat_rasterization = None

FIELDS = ("means", "quats", "scales", "opacities", "colors")
needs_cuda = pytest.mark.skipif(
    not torch.cuda.is_available() or gsplat_rasterization is None, reason="no CUDA device, or no gsplat"
)
without_cuda = pytest.mark.skipif(torch.cuda.is_available(), reason="for machines without a CUDA device")


def in_float(canonical: CanonicalGaussians) -> CanonicalGaussians:
    """A head about 4 units away, small enough that each Gaussian has a shape of its own."""
    tensors = {f.name: getattr(canonical, f.name).float() for f in fields(CanonicalGaussians)}
    return CanonicalGaussians(**tensors | {"means": tensors["means"] * 0.2, "log_scales": tensors["log_scales"] - 2.5})


def far(pose: BodyPose) -> BodyPose:
    values = {f.name: getattr(pose, f.name).float() for f in fields(BodyPose)}
    for name in ("head_xyz", "torso_xyz"):
        values[name] = values[name] * 0.05 + torch.tensor([0.0, 0.0, 4.0])
    return BodyPose(**values)


def small_avatar(n: int = 60, n_moving: int = 40, n_bases: int = 3, n_frames: int = 4):
    rng = torch.Generator().manual_seed(3)
    canonical = in_float(random_canonical(n, rng))
    bases = 0.05 * torch.randn(n_bases, 9, n_moving, generator=rng)
    camera = Camera(48, 40, 150.0, 24.3, 19.8)
    background = torch.rand(40, 48, 3, generator=rng) * 1.2 - 0.1
    coefficients = torch.randn(n_frames, n_bases, generator=rng)
    poses = [far(random_pose(rng)) for _ in range(n_frames)]
    return canonical, bases, camera, background, coefficients, poses


def test_the_picture_is_that_of_the_reference(fake_gsplat, scene, converted) -> None:
    gaussians, camera, background = scene(60, 40, 32)
    gaussians, background = converted(gaussians, torch.float64, requires_grad=True), background.double()
    extra = torch.randn(60, 2, dtype=torch.float64).requires_grad_()
    drawn, truth = (draw(gaussians, camera, background, extra) for draw in (rasterize_cuda, rasterize_reference))
    for name in ("rgb", "alpha", "extra"):  # the camera is handed over in float32
        torch.testing.assert_close(getattr(drawn, name), getattr(truth, name), rtol=1e-5, atol=1e-5)
    on_rgb, on_extra = torch.randn_like(truth.rgb), torch.randn_like(truth.extra)
    leaves = [*(getattr(gaussians, f) for f in FIELDS), extra]
    ours, wanted = (
        torch.autograd.grad((d.rgb * on_rgb).sum() + (d.extra * on_extra).sum(), leaves) for d in (drawn, truth)
    )
    for a, b in zip(ours, wanted, strict=True):
        assert (a - b).norm() <= 1e-4 * b.norm()


@pytest.mark.skipif(gsplat_rasterization is None, reason="gsplat is not installed")
def test_what_we_hand_over_fits_gsplat(fake_gsplat, scene) -> None:
    gaussians, camera, background = scene(20, 16, 16)
    rasterize_cuda(gaussians, camera, background)
    (given,) = fake_gsplat.calls
    bound = inspect.signature(gsplat_rasterization).bind(**given)
    bound.apply_defaults()
    ours = ("near_plane", "eps2d", "render_mode", "sh_degree", "rasterize_mode", "radius_clip", "backgrounds", "packed")
    assert [bound.arguments[name] for name in ours] == [0.01, 0.3, "RGB", None, "classic", 0.0, None, False]


def test_a_batch_is_each_frame(fake_gsplat) -> None:
    canonical, bases, camera, background, coefficients, poses = small_avatar()
    renderer = CudaRenderer(canonical, bases, camera, background, device="cpu")
    together = renderer.render_many(coefficients, poses)
    assert (together.shape, together.dtype) == ((4, 40, 48, 3), np.uint8)
    assert len(fake_gsplat.calls) == 1
    for b, pose in enumerate(poses):
        np.testing.assert_array_equal(renderer.render(coefficients[b].numpy(), pose), together[b])
    assert not np.array_equal(together[0], together[1])


def test_the_render_loop_is_the_native_one_to_one_grey_level(fake_gsplat) -> None:
    canonical, bases, camera, background, coefficients, poses = small_avatar()
    ours = CudaRenderer(canonical, bases, camera, background, device="cpu").render_many(coefficients, poses)
    native = NativeRenderer(canonical, bases, camera, background)
    truth = np.stack([native.render(c, pose) for c, pose in zip(coefficients, poses, strict=True)])
    difference = np.abs(ours.astype(int) - truth)
    assert (difference > 1).mean() < 1e-3  # rounding may flip the cut at 1/255 in a pixel
    assert (difference > 0).mean() < 0.02


def test_a_background_of_another_size_is_refused(scene) -> None:
    gaussians, camera, background = scene(5, 16, 16)
    with pytest.raises(ValueError, match=r"background has shape \[15, 16, 3\], expected \[16, 16, 3\]"):
        rasterize_cuda(gaussians, camera, background[:15])


def test_without_gsplat_the_extra_is_named(monkeypatch, scene) -> None:
    monkeypatch.setitem(sys.modules, "gsplat", None)
    load_gsplat.cache_clear()
    with pytest.raises(MissingPartError, match=r"locutor\[cuda\]"):
        rasterize_cuda(*scene(5, 16, 16))


def test_without_compiled_kernels_the_toolkit_is_named(monkeypatch, fake_gsplat, scene) -> None:
    monkeypatch.setattr(sys.modules["gsplat.cuda._backend"], "_C", None)
    with pytest.raises(MissingPartError, match="no CUDA toolkit"):
        rasterize_cuda(*scene(5, 16, 16))
    monkeypatch.setitem(sys.modules, "gsplat.cuda._backend", None)
    with pytest.raises(MissingPartError, match="could not be compiled"):
        rasterize_cuda(*scene(5, 16, 16))


@without_cuda
def test_without_a_device_the_error_says_so() -> None:
    with pytest.raises(MissingPartError, match="no CUDA device"):
        require_cuda()


@pytest.mark.parametrize(
    ("call", "twin"),
    [
        ("rasterize", "rasterize_cuda"),
        ("pose_gaussians", "pose_gaussians_reference"),
        ("photometric_loss", "photometric_loss_reference"),
    ],
)
def test_the_device_chooses_the_implementation(monkeypatch, scene, call: str, twin: str) -> None:
    """Tensors that lie elsewhere (here: on torch's device without memory) never reach native code."""
    gaussians, camera, background = scene(5, 16, 16)
    canonical, _, _, _, _, poses = small_avatar()
    arguments = {
        "rasterize": (gaussians, camera, background),
        "pose_gaussians": (canonical, torch.zeros(9, len(canonical)), poses[0]),
        "photometric_loss": (background, torch.zeros(16, 16, 3, dtype=torch.uint8), torch.ones(16, 16), 0.2),
    }[call]
    reached = []
    monkeypatch.setattr(dispatch, twin, lambda *a: reached.append(a))
    getattr(dispatch, call)(*arguments)
    assert not reached
    elsewhere = tuple(moved(argument, "meta") for argument in arguments)
    monkeypatch.setattr(dispatch, call, undecorated(getattr(dispatch, call)))
    getattr(dispatch, call)(*elsewhere)
    assert len(reached) == 1


def undecorated(function):
    """Without the run-time check of the result, which a stand-in does not give."""
    while hasattr(function, "__wrapped__"):
        function = function.__wrapped__
    return function


def moved(value, device: str):
    if isinstance(value, torch.Tensor):
        return value.to(device)
    if isinstance(value, (Gaussians, CanonicalGaussians, BodyPose)):
        return type(value)(*(getattr(value, f.name).to(device) for f in fields(value)))
    return value


@needs_cuda
def test_gsplat_agrees_with_the_reference(scene, converted, fragile) -> None:
    gaussians, camera, background = scene(150, 64, 64)
    steady = ~fragile(gaussians, camera)
    rng = torch.Generator().manual_seed(0)
    on_rgb = torch.randn(background.shape, generator=rng) * steady[..., None]
    on_alpha = torch.randn(steady.shape, generator=rng) * steady
    on_extra = torch.randn(*steady.shape, 2, generator=rng) * steady[..., None]
    values = torch.randn(150, 2, generator=rng)

    def drawn(draw, leaves, device):
        like = {"device": device, "dtype": leaves.means.dtype}
        extra = values.to(**like).requires_grad_()
        picture = draw(leaves, camera, background.to(**like), extra)
        parts = ((picture.rgb, on_rgb), (picture.alpha, on_alpha), (picture.extra, on_extra))
        total = sum((part * weight.to(**like)).sum() for part, weight in parts)
        gradients = torch.autograd.grad(total, [*(getattr(leaves, name) for name in FIELDS), extra])
        return [t.detach().cpu().double() for t in (*(part for part, _ in parts), *gradients)]

    truth = drawn(rasterize_reference, converted(gaussians, torch.float64, requires_grad=True), "cpu")
    leaves = Gaussians(*(getattr(gaussians, name).cuda().requires_grad_() for name in FIELDS))
    ours = drawn(dispatch.rasterize, leaves, "cuda")
    for a, b in zip(ours[:3], truth[:3], strict=True):
        assert (a - b)[steady].abs().max() < 2e-4 * max(1, b.abs().max())
    for name, a, b in zip((*FIELDS, "extra"), ours[3:], truth[3:], strict=True):
        assert (a - b).norm() <= 3e-4 * b.norm() + 1e-9, name


@needs_cuda
def test_a_batch_on_the_gpu_is_each_frame_and_the_native_picture() -> None:
    canonical, bases, camera, background, coefficients, poses = small_avatar()
    renderer = CudaRenderer(canonical, bases, camera, background)
    together = renderer.render_many(coefficients, poses)
    native = NativeRenderer(canonical, bases, camera, background)
    for b, pose in enumerate(poses):
        np.testing.assert_array_equal(renderer.render(coefficients[b], pose), together[b])
        assert (np.abs(together[b].astype(int) - native.render(coefficients[b], pose)) > 1).mean() < 1e-3


@needs_cuda
def test_nothing_to_draw_on_the_gpu_gives_the_background(scene) -> None:
    gaussians, camera, background = scene(20, 33, 17)
    behind = Gaussians(-gaussians.means, *(getattr(gaussians, name) for name in FIELDS[1:]))
    drawn = dispatch.rasterize(moved(behind, "cuda"), camera, background.cuda())
    assert torch.equal(drawn.rgb.cpu(), background)
    assert drawn.alpha.abs().max() == 0


@needs_cuda
def test_a_step_on_the_gpu_has_the_gradients_of_the_cpu() -> None:
    """Posing, drawing and loss of one frame, as training chains them."""
    canonical, _, camera, background, _, poses = small_avatar()
    target = torch.randint(0, 256, (camera.height, camera.width, 3), dtype=torch.uint8)
    weight = torch.rand(camera.height, camera.width)
    delta = 0.01 * torch.randn(9, len(canonical))

    def step(device: str) -> torch.Tensor:
        leaf = delta.to(device).requires_grad_()
        posed = dispatch.pose_gaussians(moved(canonical, device), leaf, moved(poses[0], device))
        picture = dispatch.rasterize(posed, camera, background.to(device)).rgb
        loss = dispatch.photometric_loss(picture, target.to(device), weight.to(device), 0.2).loss
        return torch.autograd.grad(loss, leaf)[0].cpu()

    on_cpu, on_gpu = step("cpu"), step("cuda")
    assert (on_gpu - on_cpu).norm() <= 0.02 * on_cpu.norm()  # both are float32, and pixels at 1/255 may flip

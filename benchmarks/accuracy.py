"""How far the native rasteriser is from the float64 reference: the method of tests/splat/test_cpu.py, as figures."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from benchmarks.scene import FIELDS, tensors
from benchmarks.timing import Figure
from tests.splat.conftest import _converted, _fragile, _scene
from torch import Tensor

from locutor.splat import Gaussians, rasterize, rasterize_reference
from locutor.splat.engine import Engine, available_isas

SCENES = ((150, 64, 64, 0), (400, 96, 64, 7))  # Gaussians, width, height, seed


def figures() -> Iterator[Figure]:
    """Largest difference of pictures outside fragile pixels, and of gradients relative to their norm."""
    for isa in available_isas():
        engine = Engine(2, isa)
        rgb, gradient = 0.0, dict.fromkeys(FIELDS, 0.0)
        for n, width, height, seed in SCENES:
            gaussians, camera, background = _scene(n, width, height, seed=seed)
            steady = ~_fragile(gaussians, camera)
            weight = torch.randn(background.shape, generator=torch.Generator().manual_seed(1)) * steady[..., None]

            def drawn(draw, leaves: Gaussians, weight=weight, camera=camera, background=background):
                dtype = leaves.means.dtype
                picture = draw(leaves, camera, background.to(dtype)).rgb
                return picture.detach(), torch.autograd.grad((picture * weight.to(dtype)).sum(), tensors(leaves))

            truth, true_gradients = drawn(rasterize_reference, _converted(gaussians, torch.float64, True))
            ours, our_gradients = drawn(
                lambda *a, e=engine: rasterize(*a, engine=e), _converted(gaussians, torch.float32, True)
            )
            rgb = max(rgb, (ours - truth)[steady].abs().max().item())
            for name, a, b in zip(FIELDS, our_gradients, true_gradients, strict=True):
                gradient[name] = max(gradient[name], relative(a, b))
        note = "bound 2e-4; outside pixels where rounding may flip a cut"
        yield Figure(f"largest difference of colour from float64, {isa}", rgb, "", note=note)
        worst = max(gradient, key=lambda name: gradient[name])
        note = f"bound 3e-4; worst: {worst}"
        yield Figure(f"difference of gradients from float64, {isa}", gradient[worst], "of norm", note=note)


def relative(ours: Tensor, truth: Tensor) -> float:
    return ((ours.double() - truth).norm() / truth.norm()).item()

"""The synthetic head that everything is measured on."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from locutor.core.camera import Camera
from locutor.splat import BodyPose, CanonicalGaussians, Gaussians, pose_gaussians, rasterize

N_BASES = 32
FIELDS = ("means", "quats", "scales", "opacities", "colors")


@dataclass(frozen=True)
class Scene:
    """A head, hair and a torso that cover about two thirds of the picture, before a random background.

    Attributes:
        canonical: N Gaussians, 60 % of them on the head; half of all move with the face.
        bases: motion field `[K, 9, N / 2]`.
        coefficients: of one frame, `[K]`.
        pose: head and torso in the reference pose.
        camera, background: sRGB in planar memory.
    """

    canonical: CanonicalGaussians
    bases: Tensor
    coefficients: Tensor
    pose: BodyPose
    camera: Camera
    background: Tensor

    def posed(self) -> Gaussians:
        """The Gaussians in the world, without the field."""
        return pose_gaussians(self.canonical, torch.zeros(9, len(self.canonical)), self.pose)

    def covered(self) -> float:
        """Share of the picture that Gaussians touch."""
        with torch.no_grad():
            return (rasterize(self.posed(), self.camera, self.background).alpha > 0).float().mean().item()


def head(n: int, size: int, n_bases: int = N_BASES) -> Scene:
    """The scene with `n` Gaussians at `size` x `size` pixels; always the same."""
    rng = np.random.default_rng(0)

    def shell(count: int, radii: list[float], centre: list[float]) -> np.ndarray:
        direction = rng.normal(size=(count, 3))
        direction /= np.linalg.norm(direction, axis=1, keepdims=True)
        return direction * radii * rng.uniform(0.95, 1.05, (count, 1)) + centre

    n_head, n_torso = int(0.6 * n), int(0.25 * n)
    means = np.concatenate(
        [
            shell(n_head, [0.5, 0.68, 0.58], [0, -0.18, 4]),
            shell(n_torso, [0.95, 0.55, 0.4], [0, 1.02, 4.15]),
            shell(n - n_head - n_torso, [0.55, 0.74, 0.64], [0, -0.2, 4.02]),
        ]
    )
    sigma = 0.0135 * math.sqrt(20_000 / n)
    opacities = np.clip(rng.beta(1.1, 0.9, n), 0.1, 0.99)
    arrays = (
        means,
        rng.normal(size=(n, 4)),
        np.log(sigma) + rng.normal(size=(n, 3)) * 0.55 - np.array([0, 0, 1]),
        np.log(opacities / (1 - opacities)),
        rng.uniform(0, 1, (n, 3)),
        rng.normal(size=n) * 4,
    )
    torch_rng = torch.Generator().manual_seed(0)
    wxyz = torch.tensor([1.0, 0, 0, 0])
    return Scene(
        CanonicalGaussians(*(torch.tensor(a, dtype=torch.float32) for a in arrays)),
        1e-4 * torch.randn(n_bases, 9, n // 2, generator=torch_rng),
        torch.randn(n_bases, generator=torch_rng),
        BodyPose(torch.eye(3), torch.zeros(3), wxyz, torch.eye(3), torch.zeros(3), wxyz),
        Camera(size, size, 1250 * size / 512, size / 2, size / 2),
        torch.rand(3, size, size, generator=torch_rng).permute(1, 2, 0),
    )


def leaves(gaussians: Gaussians) -> Gaussians:
    """A copy that gradients can be taken for."""
    return Gaussians(*(getattr(gaussians, name).detach().clone().requires_grad_() for name in FIELDS))


def tensors(gaussians: Gaussians) -> list[Tensor]:
    """The five tensors, in the order of `FIELDS`."""
    return [getattr(gaussians, name) for name in FIELDS]

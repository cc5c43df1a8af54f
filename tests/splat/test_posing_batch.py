"""Posing of many frames against posing of each."""

import pytest
import torch

from locutor.splat.bodies import BodyPose, CanonicalGaussians
from locutor.splat.posing_batch import pose_batch, stack_poses
from locutor.splat.posing_reference import pose_gaussians_reference
from locutor.splat.reference import rotation_matrices

FIELDS = ("means", "quats", "scales", "opacities")


def random_canonical(n: int, rng: torch.Generator) -> CanonicalGaussians:
    shapes = [(n, 3), (n, 4), (n, 3), (n,), (n, 3), (n,)]
    return CanonicalGaussians(*(torch.randn(s, generator=rng, dtype=torch.float64) for s in shapes))


def random_pose(rng: torch.Generator) -> BodyPose:
    quats = torch.randn(2, 4, generator=rng, dtype=torch.float64)
    quats = quats / quats.norm(dim=1, keepdim=True)
    quats[1] *= torch.sign(quats[0] @ quats[1])
    xyz = torch.randn(2, 3, generator=rng, dtype=torch.float64)
    R = rotation_matrices(quats)
    return BodyPose(R[0], xyz[0], quats[0], R[1], xyz[1], quats[1])


@pytest.mark.parametrize(("n_frames", "n"), [(1, 7), (5, 40), (3, 0)])
def test_many_frames_are_each_frame(n_frames: int, n: int) -> None:
    rng = torch.Generator().manual_seed(n)
    canonical, poses = random_canonical(n, rng), [random_pose(rng) for _ in range(n_frames)]
    delta = torch.randn(n_frames, 9, n, generator=rng, dtype=torch.float64)
    batch = pose_batch(canonical, delta, stack_poses(poses, torch.device("cpu")))
    for b, pose in enumerate(poses):
        alone = pose_gaussians_reference(canonical, delta[b], pose)
        for name in FIELDS:
            torch.testing.assert_close(getattr(batch, name)[b], getattr(alone, name), rtol=1e-12, atol=1e-12)


def test_gradients_are_the_sum_over_the_frames() -> None:
    rng = torch.Generator().manual_seed(1)
    canonical, poses = random_canonical(12, rng), [random_pose(rng) for _ in range(4)]
    delta = torch.randn(4, 9, 12, generator=rng, dtype=torch.float64).requires_grad_()
    leaf = canonical.means.requires_grad_()
    weights = [torch.randn(4, 12, *rest, generator=rng, dtype=torch.float64) for rest in [(3,), (4,), (3,)]]
    batch = pose_batch(canonical, delta, stack_poses(poses, torch.device("cpu")))
    together = sum((getattr(batch, f) * w).sum() for f, w in zip(FIELDS, weights, strict=False))
    alone = sum(
        (getattr(pose_gaussians_reference(canonical, delta[b], pose), f) * w[b]).sum()
        for b, pose in enumerate(poses)
        for f, w in zip(FIELDS, weights, strict=False)
    )
    ours, truth = (torch.autograd.grad(total, [leaf, delta]) for total in (together, alone))
    for a, b in zip(ours, truth, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-12)

"""Native posing against its PyTorch twin, and the twin against what posing means."""

import math
from dataclasses import fields, replace

import pytest
import torch

from locutor.splat.bodies import BodyPose, CanonicalGaussians
from locutor.splat.engine import Engine, available_isas
from locutor.splat.posing import pose_gaussians, pose_gaussians_reference
from locutor.splat.reference import rotation_matrices

NO_GRADIENT = ("head_wxyz", "torso_wxyz")  # as documented


def person(n: int, seed: int = 0) -> CanonicalGaussians:
    rng = torch.Generator().manual_seed(seed)
    shapes = (3,), (4,), (3,), (), (3,), ()
    values = [torch.randn(n, *shape, generator=rng) for shape in shapes]
    return CanonicalGaussians(values[0], values[1], values[2] * 0.4 - 3, values[3] * 2, values[4], values[5] * 3)


def body_pose(seed: int = 0) -> BodyPose:
    rng = torch.Generator().manual_seed(seed)
    quats = torch.cat([torch.ones(2, 1), 0.2 * torch.randn(2, 3, generator=rng)], 1)
    quats = quats / quats.norm(dim=1, keepdim=True)
    matrices, xyz = rotation_matrices(quats), torch.randn(2, 3, generator=rng) + torch.tensor([0.0, 0.0, 5.0])
    return BodyPose(matrices[0], xyz[0], quats[0], matrices[1], xyz[1], quats[1])


def leaves(data, dtype: torch.dtype):
    return type(data)(*(getattr(data, f.name).to(dtype, copy=True).requires_grad_() for f in fields(data)))


@pytest.mark.parametrize("n", [0, 1, 255, 256, 700])
def test_native_agrees_with_the_reference(engine, n) -> None:
    delta = 0.1 * torch.randn(9, n, generator=torch.Generator().manual_seed(1))
    results = []
    for pose_by, dtype in (
        (pose_gaussians_reference, torch.float64),
        (lambda *a: pose_gaussians(*a, engine), torch.float32),
    ):
        canonical, pose, moved = leaves(person(n), dtype), leaves(body_pose(), dtype), delta.to(dtype).requires_grad_()
        posed = pose_by(canonical, moved, pose)
        tensors = [getattr(posed, f.name) for f in fields(posed)]
        rng = torch.Generator().manual_seed(2)
        sum((t * torch.randn(t.shape, generator=rng).to(dtype)).sum() for t in tensors).backward()
        gradients = {"delta": moved.grad}
        for data in (canonical, pose):
            gradients |= {f.name: getattr(data, f.name).grad for f in fields(data)}
        results.append((tensors, gradients))
    for truth, ours in zip(results[0][0], results[1][0], strict=True):
        assert torch.allclose(ours.double(), truth, rtol=1e-5, atol=1e-5)
    for name, truth in results[0][1].items():
        ours = results[1][1][name]
        if name in NO_GRADIENT:
            assert ours is None
        else:
            assert (ours - truth).norm() <= 1e-5 * truth.norm(), name


def test_the_head_carries_what_is_attached_to_it_and_the_torso_the_rest() -> None:
    pose = body_pose()
    canonical = replace(person(6), logit_attachment=torch.tensor([40.0, 40, 40, -40, -40, -40]))
    posed = pose_gaussians(canonical, torch.zeros(9, 6), pose)
    for i in range(6):
        matrix, xyz = (pose.R_world_head, pose.head_xyz) if i < 3 else (pose.R_world_torso, pose.torso_xyz)
        assert torch.allclose(posed.means[i], matrix @ canonical.means[i] + xyz, atol=1e-5)
        expected = matrix @ rotation_matrices(canonical.quats[i])
        assert torch.allclose(rotation_matrices(posed.quats[i]), expected, atol=1e-5)
    assert torch.allclose(posed.scales, canonical.log_scales.exp())
    assert torch.allclose(posed.opacities, torch.sigmoid(canonical.logit_opacities))
    assert posed.colors is canonical.colors


def test_the_rotation_rows_turn_a_gaussian_in_its_own_axes() -> None:
    angle = 0.02
    delta = torch.zeros(9, 1)
    delta[8] = angle  # about the local z axis
    pose = replace(body_pose(), R_world_head=torch.eye(3), head_wxyz=torch.tensor([1.0, 0, 0, 0]))
    canonical = replace(person(1), logit_attachment=torch.tensor([40.0]))
    posed = pose_gaussians(canonical, delta, pose)
    turn = torch.tensor([[math.cos(angle), -math.sin(angle), 0], [math.sin(angle), math.cos(angle), 0], [0, 0, 1]])
    expected = rotation_matrices(canonical.quats[0]) @ turn
    assert torch.allclose(rotation_matrices(posed.quats[0]), expected, atol=1e-5)


def test_gradients_of_the_reference_agree_with_finite_differences() -> None:
    canonical, pose = leaves(person(2), torch.float64), leaves(body_pose(), torch.float64)
    delta = (0.1 * torch.randn(9, 2, dtype=torch.float64)).requires_grad_()

    def posed(*tensors: torch.Tensor) -> tuple[torch.Tensor, ...]:
        out = pose_gaussians_reference(CanonicalGaussians(*tensors[:6]), tensors[6], BodyPose(*tensors[7:]))
        return out.means, out.quats, out.scales, out.opacities

    inputs = [getattr(canonical, f.name) for f in fields(canonical)], [getattr(pose, f.name) for f in fields(pose)]
    assert torch.autograd.gradcheck(posed, (*inputs[0], delta, *inputs[1]))


def test_pose_gradients_do_not_depend_on_threads() -> None:
    gradients = []
    for threads in (1, 4):
        pose = leaves(body_pose(), torch.float32)
        posed = pose_gaussians(person(3000), torch.zeros(9, 3000), pose, Engine(threads, available_isas()[-1]))
        posed.means.square().sum().backward()
        gradients.append((pose.R_world_head.grad, pose.torso_xyz.grad))
    assert all(torch.equal(a, b) for a, b in zip(*gradients, strict=True))


def test_wrong_input_is_refused_by_name() -> None:
    canonical, pose = person(300), body_pose()
    canonical.logit_attachment[290] = float("nan")
    with pytest.raises(ValueError, match="logit_attachment holds a value that is NaN or infinite"):
        pose_gaussians(canonical, torch.zeros(9, 300), pose)
    with pytest.raises(ValueError, match=r"head_xyz is torch\.float64"):
        pose_gaussians(person(3), torch.zeros(9, 3), replace(pose, head_xyz=pose.head_xyz.double()))

"""Posing: canonical Gaussians, moved by the motion field, follow the head and the torso. Native, with gradients."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from locutor.splat.bodies import BodyPose, CanonicalGaussians
from locutor.splat.cpu import native_input
from locutor.splat.engine import Engine, default_engine
from locutor.splat.gaussians import Gaussians
from locutor.splat.posing_reference import pose_gaussians_reference

__all__ = ["BodyPose", "CanonicalGaussians", "pose_gaussians", "pose_gaussians_reference"]

CANONICAL_FIELDS = ("means", "quats", "log_scales", "logit_opacities", "colors", "logit_attachment")
POSE_FIELDS = ("R_world_head", "head_xyz", "head_wxyz", "R_world_torso", "torso_xyz", "torso_wxyz")
INPUT_FIELDS = (*CANONICAL_FIELDS, "delta", *POSE_FIELDS)


def native_canonical(canonical: CanonicalGaussians) -> tuple[Tensor, ...]:
    """The fields in the order and form that native code takes."""
    return tuple(native_input(getattr(canonical, name), name) for name in CANONICAL_FIELDS)


def native_pose(pose: BodyPose) -> tuple[Tensor, ...]:
    """The fields in the order and form that native code takes."""
    return tuple(native_input(getattr(pose, name), name) for name in POSE_FIELDS)


class _Pose(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, engine: Engine, *tensors: Tensor) -> tuple[Tensor, ...]:
        inputs = [native_input(t, name) for t, name in zip(tensors, INPUT_FIELDS, strict=True)]
        n = len(inputs[0])
        posed = torch.empty(n, 3), torch.empty(n, 4), torch.empty(n, 3), torch.empty(n)
        engine.pose(*inputs[:7], tuple(inputs[7:]), *posed)
        ctx.engine = engine
        ctx.save_for_backward(*inputs)
        return posed

    @staticmethod
    def backward(ctx: Any, *d_posed: Tensor) -> tuple[Tensor | None, ...]:
        inputs = ctx.saved_tensors
        means, quats, log_scales, logit_opacities, _, logit_attachment, delta = inputs[:7]
        gradients = [torch.empty_like(t) for t in (means, quats, log_scales, logit_opacities, logit_attachment, delta)]
        wants_pose = any(ctx.needs_input_grad[8:])
        d_pose = torch.empty(24) if wants_pose else None
        ctx.engine.pose_backward(
            *inputs[:7], tuple(inputs[7:]), *(d.detach().contiguous() for d in d_posed), *gradients, d_pose
        )
        *d_canonical, d_attachment, d_delta = gradients
        if d_pose is None:
            of_pose: tuple[Tensor | None, ...] = (None,) * len(POSE_FIELDS)
        else:
            d_R_head, d_head, d_R_torso, d_torso = d_pose.split([9, 3, 9, 3])
            of_pose = (d_R_head.view(3, 3), d_head, None, d_R_torso.view(3, 3), d_torso, None)
        return None, *d_canonical, None, d_attachment, d_delta, *of_pose


def pose_gaussians(
    canonical: CanonicalGaussians, delta: Float[Tensor, "9 N"], pose: BodyPose, engine: Engine | None = None
) -> Gaussians:
    """Move canonical Gaussians by `delta`, then with the head and the torso (docs/rasteriser.md, "Posing").

    Differentiable with respect to `canonical`, `delta` and the rotation matrices and translations of `pose`. The
    quaternions of `pose` get no gradient: a small turn of a body acts through the positions, and its effect on the
    shapes of the Gaussians is left out.

    Args:
        canonical: float32, on the CPU.
        delta: rows 0-2 displacement in the head frame (inter-ocular units), 3-5 added to the log-scales, 6-8 a small
            rotation vector r (rad), applied in the Gaussian's own axes as quats * (1, r / 2).
        pose: where the head and the torso are.
        engine: threads and instruction set; the shared default if None.

    Raises:
        ValueError: a tensor has the wrong shape, dtype or device, or holds a value that is not finite.
    """
    fields = [getattr(canonical, name) for name in CANONICAL_FIELDS]
    means, quats, scales, opacities = _Pose.apply(
        engine or default_engine(), *fields, delta, *(getattr(pose, name) for name in POSE_FIELDS)
    )
    return Gaussians(means, quats, scales, opacities, canonical.colors)

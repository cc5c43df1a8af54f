"""Posing of many frames at once in plain PyTorch: what a GPU needs, where one frame is too little work."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import torch
from jaxtyping import Float
from torch import Tensor

from locutor.splat.bodies import BodyPose, CanonicalGaussians
from locutor.splat.posing_reference import quaternion_product


@dataclass(frozen=True)
class BodyPoses:
    """`BodyPose` of B frames; same frames, units and hemispheres."""

    R_world_head: Float[Tensor, "B 3 3"]
    head_xyz: Float[Tensor, "B 3"]
    head_wxyz: Float[Tensor, "B 4"]
    R_world_torso: Float[Tensor, "B 3 3"]
    torso_xyz: Float[Tensor, "B 3"]
    torso_wxyz: Float[Tensor, "B 4"]


def stack_poses(poses: Sequence[BodyPose], device: torch.device) -> BodyPoses:
    """The poses of B >= 1 frames as one, on a device."""
    return BodyPoses(*(torch.stack([getattr(p, f.name) for p in poses]).to(device) for f in fields(BodyPoses)))


@dataclass(frozen=True)
class PosedBatch:
    """N Gaussians in the world frame in each of B frames; fields as in `Gaussians`. Colours do not change."""

    means: Float[Tensor, "B N 3"]
    quats: Float[Tensor, "B N 4"]
    scales: Float[Tensor, "B N 3"]
    opacities: Float[Tensor, "B N"]


def pose_batch(canonical: CanonicalGaussians, delta: Float[Tensor, "B 9 N"], poses: BodyPoses) -> PosedBatch:
    """`posing_reference.pose_gaussians_reference` for every frame; any dtype and device, differentiable."""
    w = torch.sigmoid(canonical.logit_attachment)[:, None]
    displacement, log_scale, turn = delta.transpose(1, 2).split(3, dim=-1)
    displaced = canonical.means + displacement
    by_head = displaced @ poses.R_world_head.transpose(1, 2) + poses.head_xyz[:, None]
    by_torso = displaced @ poses.R_world_torso.transpose(1, 2) + poses.torso_xyz[:, None]
    turned = torch.cat([torch.ones_like(turn[..., :1]), 0.5 * turn], -1)
    body = w * poses.head_wxyz[:, None] + (1 - w) * poses.torso_wxyz[:, None]
    return PosedBatch(
        means=w * by_head + (1 - w) * by_torso,
        quats=quaternion_product(body, quaternion_product(canonical.quats.expand_as(turned), turned)),
        scales=torch.exp(canonical.log_scales + log_scale),
        opacities=torch.sigmoid(canonical.logit_opacities).expand(len(delta), -1),
    )

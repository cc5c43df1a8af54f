"""Posing in plain PyTorch: the truth that the native twin is tested against."""

import torch
from jaxtyping import Float
from torch import Tensor

from locutor.splat.bodies import BodyPose, CanonicalGaussians
from locutor.splat.gaussians import Gaussians


def quaternion_product(a: Float[Tensor, "*N 4"], b: Float[Tensor, "*N 4"]) -> Float[Tensor, "*N 4"]:
    """Hamilton product of quaternions wxyz: `R(a b) = R(a) R(b)`."""
    aw, ax, ay, az = a.unbind(-1)
    bw, bx, by, bz = b.unbind(-1)
    product = [
        aw * bw - ax * bx - ay * by - az * bz,
        aw * bx + ax * bw + ay * bz - az * by,
        aw * by - ax * bz + ay * bw + az * bx,
        aw * bz + ax * by - ay * bx + az * bw,
    ]
    return torch.stack(product, -1)


def pose_gaussians_reference(canonical: CanonicalGaussians, delta: Float[Tensor, "9 N"], pose: BodyPose) -> Gaussians:
    """Twin of `locutor.splat.posing.pose_gaussians`: same arguments and result, any dtype and device.

    Here the gradient also flows to the quaternions of the pose.
    """
    w = torch.sigmoid(canonical.logit_attachment)[:, None]
    displaced = canonical.means + delta[0:3].T
    by_head = displaced @ pose.R_world_head.T + pose.head_xyz
    by_torso = displaced @ pose.R_world_torso.T + pose.torso_xyz
    turn = torch.cat([torch.ones_like(delta[:1]), 0.5 * delta[6:9]]).T
    body = w * pose.head_wxyz + (1 - w) * pose.torso_wxyz
    return Gaussians(
        means=w * by_head + (1 - w) * by_torso,
        quats=quaternion_product(body, quaternion_product(canonical.quats, turn)),
        scales=torch.exp(canonical.log_scales + delta[3:6].T),
        opacities=torch.sigmoid(canonical.logit_opacities),
        colors=canonical.colors,
    )

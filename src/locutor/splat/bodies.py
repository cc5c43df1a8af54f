"""What posing takes: Gaussians in the head frame and the pose of the two tracked bodies."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class CanonicalGaussians:
    """N Gaussians of a person in the reference pose, unconstrained (what training optimises).

    Attributes:
        means: centres in the head frame, inter-ocular units.
        quats: orientations wxyz, any norm > 0.
        log_scales: natural logarithm of the standard deviations, inter-ocular units.
        logit_opacities: the opacity is their sigmoid.
        colors: sRGB; may leave [0, 1].
        logit_attachment: its sigmoid is 1 where the Gaussian follows the head, 0 where it follows the torso.
    """

    means: Float[Tensor, "N 3"]
    quats: Float[Tensor, "N 4"]
    log_scales: Float[Tensor, "N 3"]
    logit_opacities: Float[Tensor, " N"]
    colors: Float[Tensor, "N 3"]
    logit_attachment: Float[Tensor, " N"]

    def __len__(self) -> int:
        return len(self.means)


@dataclass(frozen=True)
class BodyPose:
    """`T_world_head` and `T_world_torso`; both frames coincide in the reference pose.

    Attributes:
        R_world_head, R_world_torso: rotation matrices.
        head_xyz, torso_xyz: translations, inter-ocular units.
        head_wxyz, torso_wxyz: the same rotations as unit quaternions, both in the same hemisphere
            (dot product >= 0), because Gaussians between the bodies get a weighted sum of the two.
    """

    R_world_head: Float[Tensor, "3 3"]
    head_xyz: Float[Tensor, "3"]
    head_wxyz: Float[Tensor, "4"]
    R_world_torso: Float[Tensor, "3 3"]
    torso_xyz: Float[Tensor, "3"]
    torso_wxyz: Float[Tensor, "4"]

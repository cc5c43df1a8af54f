"""How an avatar is trained."""

from dataclasses import dataclass


@dataclass(frozen=True)
class TrainConfig:
    """Settings of one training.

    Attributes:
        n_gaussians: Gaussians of head, torso and hair; the count is fixed.
        n_mouth: Gaussians that start inside the open mouth, behind the lips.
        n_bases: bases of the motion field.
        n_iterations: one frame per iteration; held-out quality is nearly flat after 5,000.
        device: where it runs: cpu, or cuda through gsplat (the extra `cuda`).
        seed: of sampling and initial values.
        ssim_weight: share of D-SSIM in the loss, the rest is L1.
        mouth_weight: what a pixel of the mouth counts in the loss, beside 1 elsewhere.
        eye_weight: what a pixel of the eyes counts in the loss, beside 1 elsewhere.
        control_noise: standard deviation of the noise on the controls, against over-fitting.
        checkpoint_every: iterations between two checkpoints.
        preview_every: iterations between two preview pictures.
    """

    n_gaussians: int = 16_000
    n_mouth: int = 1_500
    n_bases: int = 32
    n_iterations: int = 6_000
    device: str = "cpu"
    seed: int = 0
    ssim_weight: float = 0.2
    mouth_weight: float = 3.0
    eye_weight: float = 2.0
    control_noise: float = 0.05
    checkpoint_every: int = 500
    preview_every: int = 500

"""How an avatar is trained."""

from dataclasses import dataclass
from typing import Literal

# Gaussians, those inside the mouth, bases, iterations.
PRESETS = {
    "fast": (12_000, 1_000, 24, 1_800),
    "default": (16_000, 1_500, 32, 6_000),
    "best": (20_000, 1_500, 32, 12_000),
}


@dataclass(frozen=True)
class TrainConfig:
    """Settings of one training.

    Attributes:
        preset: what the numbers below are when they are left at 0: fast for about a minute on two cores, default for
            about four, best for about ten.
        n_gaussians: Gaussians of head, torso and hair; the count is fixed.
        n_mouth: Gaussians that start inside the open mouth, behind the lips.
        n_bases: bases of the motion field.
        n_torso_bases: bases of clothes and shoulders, driven by the poses of head and torso and by the shoulders.
        n_iterations: one frame per iteration.
        device: where it runs: cpu, or cuda through gsplat (the extra `cuda`).
        seed: of sampling and initial values.
        ssim_weight: share of D-SSIM in the loss, the rest is L1.
        mouth_weight: what a pixel of the mouth counts in the loss, beside 1 elsewhere.
        eye_weight: what a pixel of the eyes counts in the loss, beside 1 elsewhere.
        control_noise: standard deviation of the noise on the controls, against over-fitting.
        torso_noise: the same on what drives the torso's bases.
        checkpoint_every: iterations between two checkpoints.
        preview_every: iterations between two preview pictures.
    """

    preset: Literal["fast", "default", "best"] = "default"
    n_gaussians: int = 0
    n_mouth: int = 0
    n_bases: int = 0
    n_torso_bases: int = 12
    n_iterations: int = 0
    device: str = "cpu"
    seed: int = 0
    ssim_weight: float = 0.2
    mouth_weight: float = 3.0
    eye_weight: float = 2.0
    control_noise: float = 0.05
    torso_noise: float = 0.1
    checkpoint_every: int = 500
    preview_every: int = 500

    def __post_init__(self) -> None:
        names = ("n_gaussians", "n_mouth", "n_bases", "n_iterations")
        for name, value in zip(names, PRESETS[self.preset], strict=True):
            if getattr(self, name) == 0:
                object.__setattr__(self, name, value)

"""Learning one person's voice model from the footage's own sound and tracked mouth."""

from __future__ import annotations

from dataclasses import dataclass

MIN_FOOTAGE_S = 4.0


@dataclass(frozen=True)
class VoiceConfig:
    """How the voice model is learnt.

    Attributes:
        n_components: principal components of the mouth.
        kernel_scale: width of the Laplace kernel over normalised windows.
        kernel_weight, linear_weight: share of both kernels in the Gaussian process.
        kernel_penalty: its noise variance.
        ridge_penalty: penalty of the second, linear model, which also learns from changed voices.
        formant_warps: the changed voices: formants scaled by these factors.
        liveliness: 0 gives the least squared error, with small movements; 1 restores the full spread.
        max_support: most frames kept in the kernel part.
        correct_offset: whether a clear offset between sound and picture is corrected.
    """

    n_components: int = 10
    kernel_scale: float = 2.0
    kernel_weight: float = 2.0
    linear_weight: float = 0.5
    kernel_penalty: float = 0.3
    ridge_penalty: float = 0.5
    formant_warps: tuple[float, ...] = (0.8, 0.9, 1.11, 1.25)
    liveliness: float = 0.5
    max_support: int = 4000
    correct_offset: bool = True

"""Similarity transforms fitted to points."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy import ndarray


@dataclass(frozen=True)
class Similarity:
    """x -> scale * R @ x + t."""

    scale: float
    R: Float[ndarray, "3 3"]
    t: Float[ndarray, " 3"]

    def apply(self, points: Float[ndarray, "*batch 3"]) -> Float[ndarray, "*batch 3"]:
        """Transform points."""
        return self.scale * points @ self.R.T + self.t


def fit_similarity(source: Float[ndarray, "M 3"], target: Float[ndarray, "M 3"]) -> Similarity:
    """Least-squares similarity from source to target (Umeyama 1991)."""
    scale, R, t = fit_similarities(source, target[None])
    return Similarity(float(scale[0]), R[0], t[0])


def fit_similarities(
    source: Float[ndarray, "*batch M 3"], target: Float[ndarray, "T M 3"]
) -> tuple[Float[ndarray, " T"], Float[ndarray, "T 3 3"], Float[ndarray, "T 3"]]:
    """Scale, rotation and translation from source to each target; one source for all or one for each."""
    source_mean, target_mean = source.mean(-2, keepdims=True), target.mean(-2, keepdims=True)
    U, S, Vt = np.linalg.svd(np.swapaxes(target - target_mean, 1, 2) @ (source - source_mean))
    signs = np.ones_like(S)
    signs[:, 2] = np.sign(np.linalg.det(U @ Vt))
    R = (U * signs[:, None]) @ Vt
    scale = (S * signs).sum(1) / ((source - source_mean) ** 2).sum((-2, -1))
    t = target_mean - scale[:, None, None] * source_mean @ np.swapaxes(R, 1, 2)
    return scale, R, t[:, 0]

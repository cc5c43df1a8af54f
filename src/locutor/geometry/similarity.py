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
    source_mean, target_mean = source.mean(0), target.mean(0)
    U, S, Vt = np.linalg.svd((target - target_mean).T @ (source - source_mean))
    D = np.diag([1.0, 1.0, np.sign(np.linalg.det(U @ Vt))])
    R = U @ D @ Vt
    scale = float((S * np.diag(D)).sum() / ((source - source_mean) ** 2).sum())
    return Similarity(scale, R, target_mean - scale * R @ source_mean)

"""From channels named after ARKit to rows of weights."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float, Float32
from numpy import ndarray

from locutor.actors.rig import EXPRESSION_ROWS
from locutor.core.arkit import ARKIT_NAMES


def sided(channels: Mapping[str, Float[ndarray, " T"]], asymmetry: float = 0.0) -> dict[str, Float[ndarray, " T"]]:
    """Channels under ARKit's full names.

    A name without a side moves both sides, the mouth's left by `1 + asymmetry` and its right by `1 - asymmetry`.
    """
    found: dict[str, Float[ndarray, " T"]] = {}
    for name, values in channels.items():
        if name in ARKIT_NAMES:
            found[name] = values
            continue
        uneven = asymmetry if name.startswith("mouth") else 0.0
        found[f"{name}Left"], found[f"{name}Right"] = (1 + uneven) * values, (1 - uneven) * values
    return found


def expression_weights(channels: Mapping[str, Float[ndarray, " T"]], n: int) -> Float32[ndarray, "T 52"]:
    """Weights of the 52 expressions, 0..1, from channels under ARKit's full names."""
    weights = np.zeros((n, len(ARKIT_NAMES)), np.float32)
    for name, values in channels.items():
        weights[:, EXPRESSION_ROWS[name]] = np.clip(values, 0, 1)
    return weights

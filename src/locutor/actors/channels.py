"""From channels named after ARKit to the rows of a rig's expressions."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float, Float32
from numpy import ndarray

from locutor.actors.rig import Rig
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


def rows_of(rig: Rig, arkit_name: str) -> tuple[int, ...]:
    """Rows of the rig's expressions that together are one of ARKit; none where the rig lacks it."""
    if len(rig.expression) == len(ARKIT_NAMES):
        return (ARKIT_NAMES.index(arkit_name),)
    # ICT-FaceKit writes sides as _L and _R, and has two halves of what is one in ARKit.
    left, right = arkit_name.replace("Left", "_L"), arkit_name.replace("Right", "_R")
    names = {arkit_name, left, right} | ({f"{arkit_name}_L", f"{arkit_name}_R"} if left == right else set())
    return tuple(sorted(rig.expression_rows[name] for name in names if name in rig.expression_rows))


def expression_weights(rig: Rig, channels: Mapping[str, Float[ndarray, " T"]], n: int) -> Float32[ndarray, "T E"]:
    """Weights of the rig's expressions, 0..1, from channels under ARKit's full names."""
    weights = np.zeros((n, len(rig.expression)), np.float32)
    for name, values in channels.items():
        for row in rows_of(rig, name):
            weights[:, row] = np.clip(values, 0, 1)
    return weights

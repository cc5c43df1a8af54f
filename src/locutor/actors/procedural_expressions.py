"""The 52 expressions and the identities of the procedural head, as smooth fields of displacement."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Bool, Float, Float64
from numpy import ndarray
from scipy.special import expit

from locutor.actors.procedural_surface import (
    EYE_X,
    EYE_Y,
    LID_OPEN_LOWER,
    LID_OPEN_UPPER,
    MOUTH_HALF,
    MOUTH_Y,
    Number,
    bump,
    lid_profile,
    on_lid,
)
from locutor.core.arkit import ARKIT_NAMES

JAW_HINGE, JAW_OPEN_RAD = np.array([0.0, -0.5, 0.5]), np.radians(19)
Points = Float[ndarray, "n 3"]


def jaw_share(p: Points, lowered: Bool[ndarray, " n"]) -> Float[ndarray, " n"]:
    """How far skin goes with the jaw: all below the mouth's slit, nothing above, a soft way at the cheeks.

    Args:
        p: skin.
        lowered: the vertices of the lower rim, which lie exactly where those of the upper rim lie.
    """
    side = np.abs(p[:, 0])
    soft = 0.04 + 0.5 * np.clip(side / MOUTH_HALF, 0, 1) ** 4 + 0.5 * np.clip(side - MOUTH_HALF, 0, 3)
    below = expit((p[:, 1] - MOUTH_Y - 0.4 * np.clip(side - 3, 0, 3)) / soft)
    corner = 0.5 * np.clip(side / MOUTH_HALF, 0, 1) ** 6
    rim = (np.abs(p[:, 1] - MOUTH_Y) < 1e-6) & (side < MOUTH_HALF) & (p[:, 2] < -5)
    below = np.where(rim, np.where(lowered, 1 - corner, corner), below)
    return below * expit((10.6 - p[:, 1]) / 0.45) * expit((-p[:, 2] - 1.0) / 1.1)


def jaw_turn(p: Points) -> Float[ndarray, "n 3"]:
    """Displacement of points that go with the jaw as it opens fully."""
    y, z = (p - JAW_HINGE)[:, 1:].T
    c, s = np.cos(JAW_OPEN_RAD) - 1, np.sin(JAW_OPEN_RAD)
    return np.stack([0 * y, c * y - s * z, c * z + s * y], 1)


def skin_fields(p: Points, lowered: Bool[ndarray, " n"]) -> Float64[ndarray, "52 n 3"]:
    """Displacement of the skin for each ARKit expression."""
    x, y, z = p.T
    jaw = jaw_share(p, lowered)
    front = expit((-z - 5.0) / 0.8)
    lower = np.where(np.abs(y - MOUTH_Y) < 1e-6, lowered, y > MOUTH_Y) * 1.0
    lips = bump(x, y, 0, MOUTH_Y, 2.7, 1.35, 4) * front
    upper_lip, lower_lip = lips * (1 - lower), lips * lower
    tip = 1 - np.clip(np.abs(x) / MOUTH_HALF, 0, 1) ** 4  # the corners belong to both lips

    def at(x0: Number, y0: Number, wide: Number, high: Number) -> ndarray:
        return bump(x, y, x0, y0, wide, high) * front

    def move(weight: ndarray, dx: ndarray | Number, dy: ndarray | Number, dz: ndarray | Number) -> ndarray:
        return np.stack(np.broadcast_arrays(weight * dx, weight * dy, weight * dz), 1)

    around = at(0, MOUTH_Y, 3.4, 2.2)
    zero = np.zeros_like(p)
    fields: dict[str, ndarray] = {
        "jawOpen": jaw[:, None] * jaw_turn(p),
        "jawForward": move(jaw, 0, 0, -0.8),
        "jawLeft": move(jaw, 0.9, 0, 0),
        "jawRight": move(jaw, -0.9, 0, 0),
        "mouthFunnel": move(around, -0.16 * x, 0, -0.7) + move(lips * tip, 0, 0.75 * lower - 0.35, -0.2),
        "mouthPucker": move(around, -0.34 * x, 0, -0.75),
        "mouthLeft": move(around, 0.9, 0, 0),
        "mouthRight": move(around, -0.9, 0, 0),
        "mouthRollLower": move(lower_lip * tip, 0, -0.35, 0.45),
        "mouthRollUpper": move(upper_lip * tip, 0, 0.28, 0.45),
        "mouthShrugLower": move(lower_lip * tip + at(0, 6.6, 2.2, 1.6), 0, -0.35, -0.2),
        "mouthShrugUpper": move(upper_lip, 0, -0.3, -0.2),
        "browInnerUp": move(at(0, -5.9, 2.6, 1.5), 0, -0.8, 0),
        "cheekPuff": move(at(4.2, 2.6, 1.9, 2.2), 0.6, 0, -0.5) + move(at(-4.2, 2.6, 1.9, 2.2), -0.6, 0, -0.5),
        "tongueOut": zero,
    }
    # The lips meet again although the jaw is open: mostly the lower one comes up.
    drop = jaw_turn(np.array([[0.0, MOUTH_Y, -11.0]]))[0]
    fields["mouthClose"] = move(lower_lip * tip, 0, -0.72 * drop[1], -0.5 * drop[2]) + move(
        upper_lip * tip, 0, 0.28 * drop[1], 0
    )
    for name, sign in (("Left", 1.0), ("Right", -1.0)):
        half = expit(sign * x / 0.45)
        corner = at(sign * MOUTH_HALF, MOUTH_Y, 1.7, 1.5)
        eye = (np.abs(x - sign * EYE_X) < 2.4) & (z < -4)
        fields |= {
            f"mouthSmile{name}": move(corner, 0.75 * sign, -0.75, 0.4)
            + move(at(sign * 4.4, 1.0, 1.6, 1.6), 0, -0.3, -0.3),
            f"mouthFrown{name}": move(corner, 0.1 * sign, 0.75, 0.1),
            f"mouthDimple{name}": move(corner, 0.45 * sign, 0, 0.35),
            f"mouthStretch{name}": move(corner, 0.8 * sign, 0.25, 0.3),
            f"mouthPress{name}": move(lips * tip * half, 0, 0.14 - 0.3 * lower, 0.12),
            f"mouthLowerDown{name}": move(lower_lip * tip * half, 0, 0.8, 0.05),
            f"mouthUpperUp{name}": move(upper_lip * tip * half, 0, -0.65, -0.05),
            f"browDown{name}": move(at(sign * 2.6, -5.7, 2.2, 1.3), -0.15 * sign, 0.55, 0),
            f"browOuterUp{name}": move(at(sign * 4.6, -5.7, 1.7, 1.5), 0, -0.75, 0),
            f"cheekSquint{name}": move(at(sign * 4.2, -0.6, 1.7, 1.4), 0, -0.4, -0.15),
            f"noseSneer{name}": move(at(sign * 1.3, 0.6, 0.9, 1.4), 0.1 * sign, -0.4, -0.1),
            f"eyeLookIn{name}": move(at(sign * EYE_X, EYE_Y, 1.2, 0.9), -0.06 * sign, 0, 0),
            f"eyeLookOut{name}": move(at(sign * EYE_X, EYE_Y, 1.2, 0.9), 0.06 * sign, 0, 0),
        } | _lids(p, name, eye, lowered)
    return np.stack([fields[name] for name in ARKIT_NAMES])


def _lids(p: Points, name: str, eye: Bool[ndarray, " n"], lowered: Bool[ndarray, " n"]) -> dict[str, ndarray]:
    """Lids slide over the eyeball; the rim goes all the way, the skin behind it less and less."""
    x, y, z = p.T
    profile = lid_profile(x)
    edge_up, edge_low = EYE_Y - LID_OPEN_UPPER * profile, EYE_Y + LID_OPEN_LOWER * profile
    is_upper = (y < EYE_Y) & ~lowered
    up = is_upper * np.exp(-np.clip(edge_up - y, 0, None) / 0.9) * eye * profile
    low = ~is_upper * np.exp(-np.clip(y - edge_low, 0, None) / 0.8) * eye * profile

    def slide(weight: ndarray, by: float) -> ndarray:
        moved = y + weight * by
        depth = np.where(weight > 1e-3, on_lid(x, moved, z, 0.13) - on_lid(x, y, z, 0.1), 0)
        return np.stack([0 * x, weight * by, np.minimum(depth, 0.25) * (weight > 1e-3)], 1)

    shut = LID_OPEN_UPPER + LID_OPEN_LOWER - 0.12
    return {
        f"eyeBlink{name}": slide(up, shut) + slide(low, -0.10),
        f"eyeLookDown{name}": slide(up, 0.38) + slide(low, 0.08),
        f"eyeLookUp{name}": slide(up, -0.22) + slide(low, -0.06),
        f"eyeSquint{name}": slide(low, -0.2) + slide(up, 0.08),
        f"eyeWide{name}": slide(up, -0.26),
    }


def identity_fields(p: Points) -> Float64[ndarray, "I n 3"]:
    """Smooth differences between people: a displacement of every part of the head per unit."""
    x, y, z = p.T
    front = expit((-z - 2.0) / 1.5)

    def fade(edge: float, wide: float) -> ndarray:
        return expit((y - edge) / wide)

    def field(dx: ndarray | Number = 0.0, dy: ndarray | Number = 0.0, dz: ndarray | Number = 0.0) -> ndarray:
        return np.stack(np.broadcast_arrays(dx + 0 * x, dy, dz), 1)

    near: Callable[..., ndarray] = lambda *a: bump(x, y, *a) * front  # noqa: E731
    side = np.abs(x)
    fuller = near(0, MOUTH_Y, 2.4, 1.2) * np.clip(y - MOUTH_Y, -1, 1)
    return np.stack([
        field(dx=0.035 * x),
        field(dy=0.05 * np.clip(y + 2.0, 0, 8)),
        field(dx=0.07 * x * fade(3.0, 1.5)),
        field(dz=-0.45 * near(0, 7.5, 3.0, 1.8), dy=0.25 * near(0, 8.5, 3.5, 1.8)),
        field(dz=-0.4 * near(0, 0.4, 1.4, 1.3)),
        field(dx=0.13 * x * near(0, 0.6, 2.0, 1.5)),
        field(dz=-0.3 * near(0, -2.2, 1.0, 2.0)),
        field(dz=-0.25 * near(0, -5.6, 4.5, 1.1)),
        field(dx=0.05 * x * bump(side, y, 5.5, 1.0, 2.5, 2.5)),
        field(dz=-0.16 * near(0, MOUTH_Y, 2.4, 1.3), dy=0.14 * fuller),
        field(dx=0.09 * x * near(0, MOUTH_Y, 3.2, 1.8)),
        field(dy=0.06 * np.clip(y + 6.5, -8, 0)),
        field(dy=0.22 * bump(side, y, 3.0, -6.0, 3.0, 0.9) * front),
        field(dz=0.035 * z),
        field(dy=-0.3 * near(0, 0.6, 1.6, 1.2)),
    ])  # fmt: skip

"""Blendshapes corrected for the person: what the face shows at rest is not an expression."""

import numpy as np
from jaxtyping import Bool, Float, Float32
from numpy import ndarray

from locutor.core.arkit import ARKIT_NAMES

MEDIAPIPE_NAMES = (
    "_neutral", "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight", "cheekPuff",
    "cheekSquintLeft", "cheekSquintRight", "eyeBlinkLeft", "eyeBlinkRight", "eyeLookDownLeft", "eyeLookDownRight",
    "eyeLookInLeft", "eyeLookInRight", "eyeLookOutLeft", "eyeLookOutRight", "eyeLookUpLeft", "eyeLookUpRight",
    "eyeSquintLeft", "eyeSquintRight", "eyeWideLeft", "eyeWideRight", "jawForward", "jawLeft", "jawOpen", "jawRight",
    "mouthClose", "mouthDimpleLeft", "mouthDimpleRight", "mouthFrownLeft", "mouthFrownRight", "mouthFunnel",
    "mouthLeft", "mouthLowerDownLeft", "mouthLowerDownRight", "mouthPressLeft", "mouthPressRight", "mouthPucker",
    "mouthRight", "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper", "mouthSmileLeft",
    "mouthSmileRight", "mouthStretchLeft", "mouthStretchRight", "mouthUpperUpLeft", "mouthUpperUpRight",
    "noseSneerLeft", "noseSneerRight",
)  # fmt: skip
"""MediaPipe's order; left and right are the person's. It has a score for the neutral face and none for the tongue."""

REST_PERCENTILE = 10  # of a coefficient over the clip: what the face shows when it does nothing
OPEN_PERCENTILE, CLOSED_PERCENTILE = 60, 0.5  # of the eye's aspect ratio; most of the time eyes are open
CLOSED_SHARE = 0.35  # aspect ratio of a closed eye in open ones, where none was seen closed
_EYES = {  # outer corner, two above, inner corner, two below
    "eyeBlinkRight": (33, 160, 158, 133, 153, 144),
    "eyeBlinkLeft": (263, 387, 385, 362, 380, 373),
}
_CHIN = (152, 175, 199)
_LOWER_LIP = (14, 17)  # inner and outer edge, in the middle
# Of coefficient, chin and thickness of the lower lip: lips that round or press move without the jaw and push the chin.
_JAW_WEIGHTS = (1.0, 6.0, -1.5)


def corrected_blendshapes(
    raw: Float32[ndarray, "T 52"], in_head: Float[ndarray, "T 478 3"], observed: Bool[ndarray, " T"]
) -> Float32[ndarray, "T 52"]:
    """The network's coefficients without the person's bias, with blinks and jaw from the shape as well.

    What the face shows at rest is subtracted (the median for the directions of gaze, a low percentile for all that
    only rises), and the rest is stretched to 0..1. A blink is the mean of the coefficient and of the eye's aspect
    ratio (Soukupova and Cech 2016, eq. 1) between this person's open and closed; the opening of the jaw the
    weighted mean of the coefficient and the drop of the chin less that of the thickness of the lower lip, all in
    spreads of the coefficient.

    Args:
        raw: as MediaPipe gives them.
        in_head: stabilised landmarks, inter-ocular units.
        observed: frames that count for the statistics.

    Returns:
        The coefficients of `core.arkit.ARKIT_NAMES`; `tongueOut` is 0.
    """
    percentiles = np.where([name.startswith("eyeLook") for name in MEDIAPIPE_NAMES], 50, REST_PERCENTILE)
    rest = np.array([np.percentile(raw[observed, i], share) for i, share in enumerate(percentiles)])
    corrected = np.clip((raw - rest) / np.maximum(1 - rest, 0.1), 0, 1)
    for name, points in _EYES.items():
        column = MEDIAPIPE_NAMES.index(name)
        corrected[:, column] = 0.5 * (corrected[:, column] + eye_closing(in_head[:, points], observed))
    column = MEDIAPIPE_NAMES.index("jawOpen")
    corrected[:, column] = _jaw_open(corrected[:, column], in_head, observed)
    out = np.zeros((len(raw), len(ARKIT_NAMES)), np.float32)
    for name in set(MEDIAPIPE_NAMES) & set(ARKIT_NAMES):
        out[:, ARKIT_NAMES.index(name)] = corrected[:, MEDIAPIPE_NAMES.index(name)]
    return out


def eye_closing(eye: Float[ndarray, "T 6 3"], observed: Bool[ndarray, " T"]) -> Float[ndarray, " T"]:
    """0 for this person's open eye, 1 for a closed one, from the six points of the aspect ratio."""
    outer, above_a, above_b, inner, below_b, below_a = np.moveaxis(eye[..., :2], 1, 0)
    height = np.linalg.norm(above_a - below_a, axis=1) + np.linalg.norm(above_b - below_b, axis=1)
    ratio = height / (2 * np.linalg.norm(outer - inner, axis=1) + 1e-9)
    usual = np.percentile(ratio[observed], OPEN_PERCENTILE)
    closed = min(np.percentile(ratio[observed], CLOSED_PERCENTILE), CLOSED_SHARE * usual)
    return np.clip((usual - ratio) / max(usual - closed, 1e-6), 0, 1)


def _jaw_open(
    coefficient: Float[ndarray, " T"], in_head: Float[ndarray, "T 478 3"], observed: Bool[ndarray, " T"]
) -> Float[ndarray, " T"]:
    inner, outer = _LOWER_LIP
    signs = (coefficient, in_head[:, _CHIN, 1].mean(axis=1), in_head[:, outer, 1] - in_head[:, inner, 1])
    spread = coefficient[observed].std()
    risen = [(sign - np.percentile(sign[observed], REST_PERCENTILE)) / (sign[observed].std() + 1e-6) for sign in signs]
    return np.clip(spread * np.average(risen, axis=0, weights=_JAW_WEIGHTS), 0, 1)

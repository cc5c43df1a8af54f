"""Where the eyes look, from the irises between the corners of the eyes."""

import numpy as np
from jaxtyping import Bool, Float, Float32
from numpy import ndarray

# Iris centre, outer and inner corner, upper and lower lid.
_EYES = ((468, 33, 133, 159, 145), (473, 263, 362, 386, 374))
EYE_WIDTH_TO_RADIUS = 2.5  # the opening of an eye is 30 mm wide, the centre of the iris goes round at 12 mm
CLOSING = 0.6  # share of the usual opening below which the iris is hidden


def gaze_turns(in_head: Float[ndarray, "T 478 3"], observed: Bool[ndarray, " T"]) -> Float32[ndarray, "T 2"]:
    """Turn of the eyes in the head against where this person usually looks: to the right of the image, and down; rad.

    The mean of both eyes. Through blinks and frames without a face it is carried over from before to after.

    Args:
        in_head: stabilised landmarks, inter-ocular units.
        observed: frames with a face.
    """
    turns, opening = np.zeros((len(in_head), 2)), np.zeros(len(in_head))
    for iris, outer, inner, upper, lower in _EYES:
        width = np.linalg.norm(in_head[:, outer, :2] - in_head[:, inner, :2], axis=1) + 1e-9
        middle = (in_head[:, outer, :2] + in_head[:, inner, :2]) / 2
        sine = EYE_WIDTH_TO_RADIUS * (in_head[:, iris, :2] - middle) / width[:, None]
        turns += np.arcsin(np.clip(sine, -1, 1)) / len(_EYES)
        opening += (in_head[:, lower, 1] - in_head[:, upper, 1]) / width
    seen = observed & (opening > CLOSING * np.median(opening[observed]))
    turns -= np.median(turns[seen], axis=0)
    frames = np.arange(len(turns))
    return np.stack([np.interp(frames, frames[seen], turns[seen, i]) for i in (0, 1)], 1).astype(np.float32)

"""How much of a face looks as it did in the keyframe: less of it where a hand is before it.

Patches that a track cannot find again do not tell: a turned head, raised brows and closed eyes lose them too.
"""

import cv2
import numpy as np
from jaxtyping import Bool, Float, Float32, UInt8
from numpy import ndarray

_SIDE = 21  # px
_NOISE = 2.0  # grey levels; what varies less has no look
_ALIKE = 0.5  # correlation from which on two patches look alike
# Share of what is usual. Hands pasted over the eyes of two people and a performer leave .44 and less; the frames of
# their whole clips, turned and blurred ones too, .51 and more.
COVERED = 0.47


def patch_looks(frame: UInt8[ndarray, "H W"], places: Float[ndarray, "M 2"]) -> Float32[ndarray, "M 441"]:
    """The patches around the places, without brightness and contrast: unit vectors, shorter where there is little."""
    y, x = (np.mgrid[:_SIDE, :_SIDE] - _SIDE // 2).reshape(2, -1)
    columns, rows = (places[:, axis : axis + 1] + offset for axis, offset in ((0, x), (1, y)))
    patches = cv2.remap(
        frame,
        columns.astype(np.float32),
        rows.astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    ).astype(np.float32)
    patches -= patches.mean(1, keepdims=True)
    length = np.linalg.norm(patches, axis=1, keepdims=True) + _NOISE * _SIDE
    return np.asarray(patches / length, np.float32)


def alike_share(a: Float32[ndarray, "M 441"], b: Float32[ndarray, "M 441"]) -> float:
    """Share of the patches that look alike in both."""
    return float(((a * b).sum(1) > _ALIKE).mean())


def covered_frames(alike: Float[ndarray, " T"], observed: Bool[ndarray, " T"]) -> Bool[ndarray, " T"]:
    """Frames with a face of which far fewer patches than usual look as in the keyframe.

    Args:
        alike: `alike_share` of every frame and its keyframe.
        observed: frames with a face.
    """
    if not observed.any():
        return np.zeros(len(observed), bool)
    return np.asarray(observed & (alike < COVERED * np.median(alike[observed])))

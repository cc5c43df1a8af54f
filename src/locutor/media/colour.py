"""How pictures are converted between RGB and the codec's YUV."""

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, Interpolation
from jaxtyping import UInt8
from numpy import ndarray

EXACT = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
"""Without exact rounding, swscale darkens every picture by more than a grey level on the way back to RGB."""


def yuv_frame(rgb: UInt8[ndarray, "H W 3"]) -> av.VideoFrame:
    """An sRGB picture as H.264 takes it: BT.709, limited range, half the chroma; odd sides grow by a pixel."""
    height, width = rgb.shape[:2]
    if height % 2 or width % 2:
        rgb = np.pad(rgb, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    return av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), "rgb24").reformat(
        format="yuv420p",
        dst_colorspace=Colorspace.ITU709,
        dst_color_range=ColorRange.MPEG,
        interpolation=EXACT,
    )

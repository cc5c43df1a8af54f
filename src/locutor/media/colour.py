"""How pictures are converted between RGB and the codec's YUV."""

from av.video.reformatter import Interpolation

EXACT = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
"""Without exact rounding, swscale darkens every picture by more than a grey level on the way back to RGB."""

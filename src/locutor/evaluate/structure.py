"""How alike two pictures look, in measures that need no learnt weights. Of the luma, 0 to 255."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float32, UInt8
from numpy import ndarray

# Wang, Simoncelli & Bovik 2003, section 3.2.
MS_SSIM_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
WINDOW, SIGMA = 11, 1.5
C1, C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
GMSD_C = 170.0  # Xue, Zhang, Mou & Bovik 2014, section III
NLPD_LEVELS = 5
NLPD_CONSTANT = 0.02  # of full scale: contrast below which errors are seen as they are


def luma(rgb: UInt8[ndarray, "H W 3"]) -> Float32[ndarray, "H W"]:
    """Rec. 601 luma, 0 to 255."""
    return cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)


def ms_ssim(truth: Float32[ndarray, "H W"], other: Float32[ndarray, "H W"]) -> float:
    """Multi-scale structural similarity (Wang et al. 2003, eq. 7), 1 for the same picture.

    A picture smaller than 176 px has fewer scales than five; the weights of those that fit are made to sum to one.
    """
    fitting = 1 + max(0, int(np.log2(min(truth.shape) / WINDOW)))
    weights = np.array(MS_SSIM_WEIGHTS[:fitting])
    weights /= weights.sum()
    product = 1.0
    for scale, weight in enumerate(weights):
        luminance, contrast = _ssim_parts(truth, other)
        part = float((luminance * contrast).mean()) if scale == len(weights) - 1 else float(contrast.mean())
        product *= max(part, 0.0) ** weight
        truth, other = (cv2.resize(p, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA) for p in (truth, other))
    return product


def _ssim_parts(a: Float32[ndarray, "H W"], b: Float32[ndarray, "H W"]) -> tuple[ndarray, ndarray]:
    def blurred(picture: ndarray) -> ndarray:
        return cv2.GaussianBlur(picture, (WINDOW, WINDOW), SIGMA, borderType=cv2.BORDER_REFLECT_101)

    mean_a, mean_b = blurred(a), blurred(b)
    var_a, var_b = blurred(a * a) - mean_a**2, blurred(b * b) - mean_b**2
    covariance = blurred(a * b) - mean_a * mean_b
    luminance = (2 * mean_a * mean_b + C1) / (mean_a**2 + mean_b**2 + C1)
    return luminance, (2 * covariance + C2) / (var_a + var_b + C2)


def gradient_deviation(truth: Float32[ndarray, "H W"], other: Float32[ndarray, "H W"]) -> float:
    """Gradient magnitude similarity deviation (Xue et al. 2014, eq. 3 to 6), 0 for the same picture."""
    halves = [cv2.resize(p, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA) for p in (truth, other)]
    a, b = (np.hypot(*(cv2.filter2D(p, cv2.CV_32F, kernel) for kernel in (_PREWITT, _PREWITT.T))) for p in halves)
    return float(((2 * a * b + GMSD_C) / (a**2 + b**2 + GMSD_C)).std())


_PREWITT = np.repeat(np.array([[1, 0, -1]], np.float32) / 3, 3, 0)


def pyramid_distance(truth: Float32[ndarray, "H W"], other: Float32[ndarray, "H W"]) -> float:
    """Normalised Laplacian pyramid distance after Laparra et al. 2016, eq. 5: 0 for the same picture.

    What an error is worth depends on the contrast around it, on each of five scales. One neighbourhood and one
    constant stand for the paper's fitted ones, so values compare with each other and not with published ones.
    """
    bands = [_bands(p / 255) for p in (truth, other)]
    return float(np.mean([np.sqrt(np.mean((a - b) ** 2)) for a, b in zip(*bands, strict=True)]))


def _bands(picture: Float32[ndarray, "H W"]) -> list[ndarray]:
    normalised = []
    for _ in range(NLPD_LEVELS):
        if min(picture.shape) < 4:
            break
        smaller = cv2.pyrDown(picture)
        band = picture - cv2.pyrUp(smaller, dstsize=picture.shape[::-1])
        normalised.append(band / (NLPD_CONSTANT + cv2.blur(np.abs(band), (3, 3))))
        picture = smaller
    return normalised

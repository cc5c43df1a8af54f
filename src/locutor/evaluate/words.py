"""How figures are called and written, and which way is better."""

from __future__ import annotations

import math

from locutor.evaluate.figure import Figure

# name: (title, more is better; None where neither is)
TITLES: dict[str, tuple[str, bool | None]] = {
    "psnr": ("PSNR frame, dB", True),
    "psnr_face": ("PSNR face, dB", True),
    "psnr_mouth": ("PSNR mouth, dB", True),
    "psnr_eyes": ("PSNR eyes, dB", True),
    "psnr_neck": ("PSNR neck, dB", True),
    "psnr_person": ("PSNR person, dB", True),
    "psnr_skin": ("PSNR skin, dB", True),
    "ssim": ("SSIM", True),
    "ms_ssim": ("MS-SSIM", True),
    "gradient_deviation": ("gradient deviation (GMSD)", False),
    "pyramid_distance": ("pyramid distance (NLPD)", False),
    "lpips": ("LPIPS", False),
    "lpips_face": ("LPIPS face", False),
    "sharpness_face": ("sharpness face", None),
    "sharpness_mouth": ("sharpness mouth", None),
    "sharpness_hair": ("sharpness hair", None),
    "flicker_background": ("jitter background", None),
    "flicker_torso": ("jitter torso", None),
    "head_jitter_share": ("jitter head", None),
    "lip_distance_px": ("lip distance, px", False),
    "lip_distance_percent": ("lip distance, % of eyes", False),
    "lip_gap_correlation": ("lip-gap r", True),
    "lip_gap_lag_frames": ("lag, frames", None),
    "lip_gap_correlation_at_lag": ("r at that lag", True),
    "lip_spread_share": ("lip spread", None),
    "closure_recall": ("closures met", True),
    "closure_precision": ("closures right", True),
    "timing_error_ms": ("MTM, ms", False),
    "timing_match": ("MTM matched", True),
    "loudness_correlation": ("SLCC", True),
    "blinks_closed": ("blinks closed", True),
    "lid_error_percent": ("lid error, %", False),
    "gaze_error_deg": ("gaze error, degrees", False),
    "other_landmarks_percent": ("landmarks (OpenSeeFace), %", False),
    "other_mouth_percent": ("mouth (OpenSeeFace), %", False),
    "other_lip_gap_correlation": ("lip-gap r (OpenSeeFace)", True),
    "frames_without_face": ("frames without face", False),
}
GROUPS = {
    "Pictures": ("psnr", "psnr_face", "psnr_mouth", "psnr_eyes", "psnr_neck", "psnr_person", "psnr_skin"),
    "Structure": ("ssim", "ms_ssim", "gradient_deviation", "pyramid_distance", "lpips", "lpips_face"),
    "Detail and steadiness, as shares of the truth's": (
        "sharpness_face", "sharpness_mouth", "sharpness_hair", "flicker_background", "flicker_torso",
        "head_jitter_share",
    ),
    "Lips": (
        "lip_distance_percent", "lip_gap_correlation", "lip_gap_lag_frames", "lip_spread_share", "closure_recall",
        "closure_precision", "timing_error_ms", "timing_match", "loudness_correlation",
    ),
    "Eyes": ("blinks_closed", "lid_error_percent", "gaze_error_deg"),
    "An independent landmarker": (
        "other_landmarks_percent", "other_mouth_percent", "other_lip_gap_correlation", "frames_without_face",
    ),
}  # fmt: skip


def title(name: str) -> str:
    """Of a figure, for people."""
    return TITLES[name][0] if name in TITLES else name.replace("_", " ")


def number(value: float) -> str:
    """With as many digits as mean something."""
    if not math.isfinite(value):
        return "-"
    if value == 0:
        return "0"
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2 if abs(value) >= 1 else 3
    return f"{value:.{digits}f}"


def with_interval(f: Figure | None) -> str:
    """`value [low, high]`."""
    if f is None or not math.isfinite(f.value):
        return "-"
    return f"{number(f.value)} [{number(f.low)}, {number(f.high)}]"


def percent(share: float | None) -> str:
    """A share of 0 to 1."""
    return "-" if share is None else f"{100 * share:.0f} %"

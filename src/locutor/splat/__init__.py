"""Gaussians as data and how they become pictures: a readable PyTorch truth and a fast native twin.

The specification that all implementations obey is docs/rasteriser.md.
"""

from locutor.splat.cpu import rasterize
from locutor.splat.gaussians import Gaussians
from locutor.splat.photometric import PhotometricLoss, photometric_loss
from locutor.splat.posing import BodyPose, CanonicalGaussians, pose_gaussians
from locutor.splat.reference import rasterize_reference
from locutor.splat.renderer import NativeRenderer
from locutor.splat.rendering import Rendering

__all__ = [
    "BodyPose",
    "CanonicalGaussians",
    "Gaussians",
    "NativeRenderer",
    "PhotometricLoss",
    "Rendering",
    "photometric_loss",
    "pose_gaussians",
    "rasterize",
    "rasterize_reference",
]

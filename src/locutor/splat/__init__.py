"""Gaussians as data and how they become pictures: a readable PyTorch truth, fast native code, and gsplat on a GPU.

The specification that all implementations obey is docs/rasteriser.md.
"""

from locutor.splat.bodies import BodyPose, CanonicalGaussians
from locutor.splat.cuda_renderer import CudaRenderer
from locutor.splat.dispatch import photometric_loss, pose_gaussians, rasterize
from locutor.splat.gaussians import Gaussians
from locutor.splat.photometric_reference import PhotometricLoss
from locutor.splat.reference import rasterize_reference
from locutor.splat.renderer import NativeRenderer
from locutor.splat.rendering import Rendering

__all__ = [
    "BodyPose",
    "CanonicalGaussians",
    "CudaRenderer",
    "Gaussians",
    "NativeRenderer",
    "PhotometricLoss",
    "Rendering",
    "photometric_loss",
    "pose_gaussians",
    "rasterize",
    "rasterize_reference",
]

"""The avatar: canonical Gaussians, a motion field, and how a frame of motion becomes a picture."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Float, Float32, UInt8
from numpy import ndarray
from torch import Tensor

from locutor.avatar.controls import ControlSpace
from locutor.avatar.field import CodeNetwork
from locutor.avatar.torso import TorsoCode
from locutor.core.camera import Camera
from locutor.core.motion import Motion
from locutor.geometry.rotation import matrix_from_wxyz
from locutor.provenance.consent import Consent
from locutor.splat.bodies import BodyPose, CanonicalGaussians
from locutor.splat.renderer import NativeRenderer


@dataclass(frozen=True)
class Provenance:
    """Where an avatar comes from.

    Attributes:
        footage: name of the film it was learnt from.
        performance: folder of the captured footage on the machine that trained it; may be gone.
        n_train_frames: frames it has seen.
        iterations: of the training.
        trained_s: seconds of training.
        synthetic: the person was made by a program and does not exist.
        consent: what the person agreed to; None when nothing is on record.
        made_on: day of the training (UTC), as 2026-11-21; empty in avatars of version 1.
        software: what trained it, as "locutor 0.1.0"; empty in avatars of version 1.
        figures: measured at training, by name: how steady the tracks are, px per frame.
    """

    footage: str
    performance: str
    n_train_frames: int
    iterations: int
    trained_s: float
    synthetic: bool = False
    consent: Consent | None = None
    made_on: str = ""
    software: str = ""
    figures: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Avatar:
    """A trained head.

    Attributes:
        canonical: Gaussians in the head frame; the first M of them move with the face.
        bases: the motion field's table; the torso's bases come after the face's.
        network: controls to coefficients of the face's bases.
        controls: motion to controls.
        camera, plate: of the footage; the plate is the background.
        provenance: where the avatar comes from.
        idle: arrays of the person's idle movement (`drive.idle_model`).
        voice: arrays of the person's voice model (`drive.voice`), empty when the footage had no sound.
        torso: poses to coefficients of the torso's bases; None where there are none.
    """

    canonical: CanonicalGaussians
    bases: Float[Tensor, "K 9 M"]
    network: CodeNetwork
    controls: ControlSpace
    camera: Camera
    plate: UInt8[ndarray, "H W 3"]
    provenance: Provenance
    idle: Mapping[str, ndarray]
    voice: Mapping[str, ndarray] = field(default_factory=dict)
    torso: TorsoCode | None = None

    @cached_property
    def id(self) -> str:
        """16 hex digits that name this avatar: of its canonical Gaussians, which a bundle keeps to the bit."""
        content = hashlib.sha256()
        for part in dataclasses.fields(self.canonical):
            content.update(np.ascontiguousarray(getattr(self.canonical, part.name).numpy()).tobytes())
        return content.hexdigest()[:16]

    def coefficients(
        self, motion: Motion, control_offset: Float32[ndarray, " F"] | None = None
    ) -> Float32[Tensor, "T K"]:
        """Coefficients of the motion field for every frame: the face's, then the torso's.

        Args:
            motion: who moves how.
            control_offset: added to the standardised controls, by hand as it were; None for none.
        """
        controls = self.controls.encode(motion)
        if control_offset is not None:
            controls = controls + control_offset
        with torch.no_grad():
            of_face = self.network(torch.from_numpy(controls))
        return of_face if self.torso is None else torch.cat([of_face, self.torso.coefficients(motion)], 1)

    @cached_property
    def background(self) -> Float[Tensor, "H W 3"]:
        """The plate as the rasteriser takes it."""
        return as_background(self.plate)

    @cached_property
    def _renderer(self) -> NativeRenderer:
        return NativeRenderer(self.canonical, self.bases, self.camera, self.background)

    def render(self, motion: Motion) -> UInt8[ndarray, "H W 3"]:
        """Picture of one frame of motion (length 1). Needs `face`, `head` and `torso`."""
        return self._renderer.render(self.coefficients(motion)[0], body_pose(motion, 0))


def as_background(plate: UInt8[ndarray, "H W 3"]) -> Float[Tensor, "H W 3"]:
    """sRGB in [0, 1], one plane per colour in memory: what the rasteriser reads fastest."""
    planes = torch.from_numpy(plate.transpose(2, 0, 1).astype(np.float32) / 255)
    return planes.contiguous().permute(1, 2, 0)


def body_pose(motion: Motion, k: int) -> BodyPose:
    """Pose of head and torso in frame k, for the rasteriser."""
    names = ("head_wxyz", "head_xyz", "torso_wxyz", "torso_xyz")
    head_wxyz, head_xyz, torso_wxyz, torso_xyz = (channel[k] for channel in motion.require(*names))
    if head_wxyz @ torso_wxyz < 0:
        torso_wxyz = -torso_wxyz
    rotations = matrix_from_wxyz(np.stack([head_wxyz, torso_wxyz])).astype(np.float32)
    return BodyPose(
        R_world_head=torch.from_numpy(rotations[0]),
        head_xyz=torch.from_numpy(head_xyz),
        head_wxyz=torch.from_numpy(head_wxyz),
        R_world_torso=torch.from_numpy(rotations[1]),
        torso_xyz=torch.from_numpy(torso_xyz),
        torso_wxyz=torch.from_numpy(torso_wxyz),
    )

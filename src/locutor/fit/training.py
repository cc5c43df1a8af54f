"""The optimisation itself: one frame in, one step of everything that is learnt."""

from __future__ import annotations

import copy
import dataclasses
import datetime
import importlib.metadata
from collections.abc import Generator
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from numpy import ndarray
from torch import Tensor

from locutor.avatar.avatar import Avatar, Provenance, as_background, body_pose
from locutor.avatar.controls import N_CONTROLS, fit_controls
from locutor.avatar.light import fit_light
from locutor.avatar.pose_tracker import N_UNKNOWNS, corrected_motion, fit_corrections
from locutor.avatar.torso import N_SHOULDERS, TorsoCode, encode_torso, torso_spread
from locutor.capture.performance import Performance
from locutor.core.events import Event
from locutor.core.face import FACE_POINTS
from locutor.drive.idle_model import fit_idle
from locutor.fit.config import TrainConfig
from locutor.fit.device import to_device, training_device
from locutor.fit.frame_feed import TrainingFrame
from locutor.fit.initial import initial_gaussians
from locutor.fit.mesh_motion import fit_mesh_motion
from locutor.fit.model import FINAL_SHARE, TrainableAvatar
from locutor.fit.neighbours import draw_together
from locutor.fit.pose_refinement import (
    EVERY_AT_ONCE,
    EVERY_FOR_LIGHT,
    FROM_ITERATION,
    ROUNDS_AT_ONCE,
    PoseRefiner,
    corrected,
    footage_from,
    tracked_points,
)
from locutor.fit.relocate import PullMeter, relocate
from locutor.splat.bodies import BodyPose
from locutor.splat.dispatch import photometric_loss, pose_gaussians, rasterize
from locutor.splat.gaussians import Gaussians
from locutor.splat.photometric_reference import PhotometricLoss

RELOCATE_EVERY = 500
DRAWN_TOGETHER_EVERY = 100  # iterations
DRAWN_TOGETHER = 0.8  # share of the way to the neighbours' mean, at the start; it decays as the rates do
RELOCATE_FROM, RELOCATE_UNTIL = 900, 0.6  # first iteration; share of the training


class Training:
    """An avatar under optimisation on one performance.

    Attributes:
        performance: the footage.
        config: settings.
        iteration: steps done.
        model: what is learnt.
    """

    def __init__(self, performance: Performance, config: TrainConfig) -> None:
        tracking = performance.tracking
        self.performance, self.config = performance, config
        self.iteration = 0
        self._device = training_device(config.device)
        self._controls = fit_controls(
            tracking.motion[: performance.n_train], tracking.reference_wxyz, tracking.reference_xyz
        )
        self._points = tracked_points(performance)
        self._torso_mean, self._torso_std = torso_spread(tracking.motion[: performance.n_train])
        self._plate = as_background(performance.plate).to(self._device)
        mesh_motion = fit_mesh_motion(performance, self._controls, config.n_bases)
        start = initial_gaussians(performance, mesh_motion, config.n_gaussians, config.n_mouth, config.seed)
        self.model = TrainableAvatar(
            to_device(start.gaussians, self._device), config.n_bases, N_CONTROLS, config.n_torso_bases, config.seed
        )
        self.model.face.follow(start.follows[..., : len(self.model.face)].to(self._device))
        self._tracked: dict[int, BodyPose] = {}
        self._refiner = PoseRefiner(performance.n_train)
        self._light = torch.ones(performance.n_train, 3)
        self._meter = PullMeter(torch.zeros(len(start.gaussians), device=self._device))
        self._noise = torch.Generator().manual_seed(config.seed)

    @property
    def share_done(self) -> float:
        """Progress, 0..1."""
        return self.iteration / self.config.n_iterations

    def step(self, frame: TrainingFrame) -> PhotometricLoss:
        """Learn from one frame."""
        model, config = self.model, self.config
        model.optimiser.zero_grad()
        unknowns = self._refiner.unknowns(frame.k).requires_grad_(self.iteration >= FROM_ITERATION)
        controls, of_torso_pose = self._encoded(frame.k, unknowns)
        noisy = self._noisy(controls, config.control_noise)
        noisy_torso = self._noisy(of_torso_pose, config.torso_noise)
        pose = corrected(self._tracked_pose(frame.k), unknowns)
        coefficients = model.face.network(noisy.to(self._device))
        of_torso = model.torso.network(noisy_torso.to(self._device))
        delta = model.delta(coefficients, of_torso).requires_grad_()
        gaussians = self._lit(pose_gaussians(model.canonical, delta, to_device(pose, self._device)), frame.k)
        rendering = rasterize(gaussians, self.performance.camera, self._background(frame.k))
        loss = photometric_loss(
            rendering.rgb, frame.target.to(self._device), frame.weight.to(self._device), config.ssim_weight
        )
        loss.loss.backward()
        model.learn(coefficients, of_torso, delta, self.share_done)
        if unknowns.grad is not None and not frame.eyes_only:
            self._refiner.step(frame.k, unknowns.grad, self.share_done)
        self._meter.add(model.canonical.means)
        self.iteration += 1
        last = RELOCATE_UNTIL * config.n_iterations
        if self.iteration % RELOCATE_EVERY == 0 and RELOCATE_FROM <= self.iteration <= last:
            relocate(model, self._meter, self._noise)
        if self.iteration % DRAWN_TOGETHER_EVERY == 0:
            share = DRAWN_TOGETHER * FINAL_SHARE**self.share_done
            draw_together(model.face.bases, model.canonical.means[: len(model.face)], share)
        return loss

    def refine_frames(self) -> Generator[Event, None, None]:
        """Refine the poses of all training frames together, then find their light; yields progress."""
        n = self.performance.n_train
        known = self._refiner.all_unknowns().numpy().astype(np.float64)
        motion = corrected_motion(self.performance.tracking.motion[:n], known, self._points[:n])
        fitted = np.arange(0, n, EVERY_AT_ONCE)
        footage = footage_from(self.performance, fitted)
        found = yield from fit_corrections(self.avatar(0.0), motion[fitted], footage, ROUNDS_AT_ONCE)
        between = [np.interp(np.arange(n), fitted, unknown) for unknown in found.T]
        self._refiner.correction += torch.from_numpy(np.stack(between, 1)).float()
        yield from self._find_light(np.arange(0, n, EVERY_FOR_LIGHT))

    def _find_light(self, frames: Int[ndarray, " S"]) -> Generator[Event, None, None]:
        """The light of some frames, and between them; its mean is the avatar's own and taken out."""
        known = self._refiner.all_unknowns().numpy().astype(np.float64)[frames]
        motion = corrected_motion(self.performance.tracking.motion[frames], known, self._points[frames])
        gains = yield from fit_light(self.avatar(0.0), motion, footage_from(self.performance, frames), EVERY_FOR_LIGHT)
        every = np.arange(len(self._light))
        light = torch.from_numpy(np.stack([np.interp(every, frames, gain) for gain in gains.T], 1))
        self._light = (light / light.mean(0)).float()

    def _lit(self, gaussians: Gaussians, k: int) -> Gaussians:
        """In the light of frame k."""
        return dataclasses.replace(gaussians, colors=gaussians.colors * self._light[k].to(self._device))

    def _tracked_pose(self, k: int) -> BodyPose:
        if k not in self._tracked:
            self._tracked[k] = body_pose(self.performance.tracking.motion, k)
        return self._tracked[k]

    def _encoded(self, k: int, unknowns: Float[Tensor, " 14"]) -> tuple[Float[Tensor, " F"], Float[Tensor, " G"]]:
        """Frame k's standardised controls of face and torso, its poses corrected; the shoulders carry a gradient."""
        tracked, correction = self.performance.tracking.motion[k : k + 1], unknowns.detach().numpy()[None]
        motion = corrected_motion(tracked, correction, self._points[k : k + 1])
        of_torso = torch.from_numpy(encode_torso(motion, self._torso_mean, self._torso_std)[0])
        rise = unknowns[-N_SHOULDERS:] - unknowns[-N_SHOULDERS:].detach()
        shoulders = of_torso[-N_SHOULDERS:] + rise / torch.from_numpy(self._torso_std[-N_SHOULDERS:])
        controls = torch.from_numpy(self._controls.encode(motion)[0])
        return controls, torch.cat([of_torso[:-N_SHOULDERS], shoulders])

    def _background(self, k: int) -> Float[Tensor, "H W 3"]:
        if self.performance.background_is_still:
            return self._plate
        return as_background(self.performance.background(k)).to(self._device)

    def _noisy(self, controls: Float[Tensor, " F"], spread: float) -> Float[Tensor, " F"]:
        return controls + spread * torch.randn(controls.shape, generator=self._noise)

    @torch.no_grad()
    def picture(self, k: int) -> UInt8[ndarray, "H W 3"]:
        """Frame k as the avatar draws it now."""
        pose = to_device(self._tracked_pose(k), self._device)
        of_face, of_torso = self._encoded(k, torch.zeros(N_UNKNOWNS))
        delta = self.model.delta(
            self.model.face.network(of_face.to(self._device)), self.model.torso.network(of_torso.to(self._device))
        )
        gaussians = pose_gaussians(self.model.canonical, delta, pose)
        rgb = rasterize(gaussians, self.performance.camera, self._background(k)).rgb
        return (rgb.clamp(0, 1) * 255 + 0.5).to(torch.uint8).cpu().numpy()

    def state(self) -> dict[str, Any]:
        """Everything needed to go on later as if nothing had happened."""
        return {
            "iteration": self.iteration,
            "model": self.model.state(),
            "refiner": self._refiner.state(),
            "light": self._light,
            "pull": self._meter.pull,
            "noise": self._noise.get_state(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go back to a `state` of the same settings and footage."""
        self.iteration = state["iteration"]
        self.model.restore(state["model"])
        self._refiner.restore(state["refiner"])
        self._light = state["light"]
        self._meter.pull = state["pull"]
        self._noise.set_state(state["noise"])

    def avatar(self, trained_s: float) -> Avatar:
        """The avatar as it is now, without a voice."""
        model, performance = self.model, self.performance
        tracking = performance.tracking
        neutral = tracking.neutral[list(FACE_POINTS), :2]
        canonical = {
            f.name: getattr(model.canonical, f.name).detach().cpu().clone() for f in dataclasses.fields(model.canonical)
        }
        return Avatar(
            canonical=type(model.canonical)(**canonical),
            bases=model.finished_bases().cpu(),
            network=copy.deepcopy(model.face.network).cpu(),
            controls=self._controls,
            camera=performance.camera,
            plate=performance.plate,
            provenance=Provenance(
                footage=performance.meta.source,
                performance=str(performance.folder.resolve()),
                n_train_frames=performance.n_train,
                iterations=self.iteration,
                trained_s=round(trained_s, 1),
                synthetic=performance.meta.synthetic,
                consent=performance.meta.consent,
                made_on=datetime.datetime.now(datetime.UTC).date().isoformat(),
                software=f"locutor {importlib.metadata.version('locutor')}",
                figures=dataclasses.asdict(performance.meta.quality),
            ),
            torso=TorsoCode(self._torso_mean, self._torso_std, copy.deepcopy(model.torso.network).cpu()),
            idle=fit_idle(tracking.motion[: performance.n_train], neutral).to_tensors(),
        )

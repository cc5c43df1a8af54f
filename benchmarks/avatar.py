"""Trained avatars: frames per second from coefficients and from controls, and of whole files.

A trained head covers the picture otherwise than the synthetic scene, so its speed stands beside that scene's, measured
in turn: a ratio far below 1 would mean that the synthetic figures flatter.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path

import numpy as np
from benchmarks.raster import renderer_of
from benchmarks.scene import head
from benchmarks.timing import Figure, Timing, measured, measured_in_turn, torch_threads

from locutor.avatar.avatar import Avatar, body_pose
from locutor.avatar.bundle import load_avatar
from locutor.avatar.film import film
from locutor.cli.verbs import find_avatar
from locutor.core.motion import Motion
from locutor.drive.idle_model import IdleModel
from locutor.drive.speak import SpeechDriver
from locutor.drive.voice import VoiceModel
from locutor.splat import NativeRenderer

FRAMES = 300
SYNTHETIC = (20_000, 512)


def figures(paths: list[Path]) -> Iterator[Figure]:
    """The embedded performer, then the avatars of real clips that were named."""
    with torch_threads(1):
        yield from of_avatar("performer", find_avatar("demo"))
        for path in paths:
            yield from of_avatar(path.stem, load_avatar(path))


def of_avatar(name: str, avatar: Avatar) -> Iterator[Figure]:
    motion = some_motion(avatar)
    frames = [motion[k : k + 1] for k in range(len(motion))]
    ready = cycle([(avatar.coefficients(m)[0], body_pose(m, 0)) for m in frames])
    native = NativeRenderer(avatar.canonical, avatar.bases, avatar.camera, avatar.background)
    scene = head(*SYNTHETIC)
    synthetic = renderer_of(scene)
    ours, theirs = measured_in_turn(
        [lambda: native.render(*next(ready)), lambda: synthetic.render(scene.coefficients, scene.pose)], FRAMES
    )
    label = f"{name} ({len(avatar.canonical)} Gaussians, {len(avatar.bases)} bases, {avatar.camera.width} px)"
    yield Figure(f"pose+render, {name}", ours.per_s, "frames/s", ours, label)
    note = f"must be at least .7; the synthetic scene: {theirs.per_s:.0f} frames/s"
    yield Figure(f"{name} against the synthetic scene 20k@512", theirs.wall_ms / ours.wall_ms, "x", note=note)
    moving = cycle(frames)
    whole = measured(lambda: avatar.render(next(moving)), FRAMES)
    yield Figure(
        f"controls to pixels, {name}, frame by frame", whole.per_s, "frames/s", whole, "all threads in one frame"
    )
    yield whole_file(name, avatar, frames)


def whole_file(name: str, avatar: Avatar, frames: list[Motion]) -> Figure:
    """`film`: one frame per core. Its values are means, as there is no time of a single frame."""
    n = 2 * FRAMES
    for _ in film(avatar, frames[:20]):
        pass
    started, cpu = time.perf_counter(), time.process_time()
    for _ in film(avatar, islice(cycle(frames), n)):
        pass
    wall_ms = 1e3 * (time.perf_counter() - started) / n
    cpu_ms = 1e3 * (time.process_time() - cpu) / n
    timing = Timing(wall_ms, cpu_ms, float("nan"), n)
    return Figure(f"controls to pixels, {name}, whole file", timing.per_s, "frames/s", timing, "one frame per core")


def some_motion(avatar: Avatar) -> Motion:
    """Twelve seconds of idle movement and of a babbling voice, as its driver makes them."""
    n = FRAMES * 640
    rng = np.random.default_rng(0)
    syllables = np.repeat(rng.uniform(0, 1, n // 3200 + 1), 3200)[:n]
    sound = (0.1 * syllables * rng.normal(size=n)).astype(np.float32)
    idle = IdleModel.from_tensors(dict(avatar.idle))
    return SpeechDriver(VoiceModel.from_tensors(dict(avatar.voice)), idle).whole(sound)

"""Many frames of an avatar: for files, where frames per second count and not how soon one frame is there.

On the CPU one frame is drawn per core: nothing is handed from thread to thread inside a frame, and what is serial in
one (sorting, Python) runs beside another. On a GPU many frames are drawn in one batch.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

import torch
from jaxtyping import UInt8
from numpy import ndarray

from locutor.avatar.avatar import Avatar, body_pose
from locutor.core.motion import Motion
from locutor.core.parallel import map_in_order
from locutor.splat.cuda import require_cuda
from locutor.splat.cuda_renderer import CudaRenderer
from locutor.splat.engine import Engine, default_engine
from locutor.splat.renderer import NativeRenderer

BATCH = 32  # frames in one call on a GPU


def film(avatar: Avatar, motions: Iterable[Motion], device: str = "cpu") -> Iterator[UInt8[ndarray, "H W 3"]]:
    """Pictures of every frame of a stream of motion, in order and in constant memory.

    On the CPU they are those of `avatar.render`, to the byte. Runs a few frames ahead of the consumer.

    Args:
        avatar: who is drawn.
        motions: pieces of any length; need `face`, `head` and `torso`.
        device: `cpu`, or a CUDA device as PyTorch names it.

    Raises:
        MissingPartError: the device is not there, or gsplat is missing.
    """
    frames = (motion[k : k + 1] for motion in motions for k in range(len(motion)))
    return _on_cpu(avatar, frames) if device == "cpu" else _on_cuda(avatar, frames, device)


def _on_cpu(avatar: Avatar, frames: Iterator[Motion]) -> Iterator[UInt8[ndarray, "H W 3"]]:
    shared = default_engine()
    alone = Engine(1, shared.isa)  # has no threads of its own: works in those that call it, all at once
    renderer = NativeRenderer(avatar.canonical, avatar.bases, avatar.camera, avatar.background, alone)

    def draw(motion: Motion) -> UInt8[ndarray, "H W 3"]:
        return renderer.render(avatar.coefficients(motion)[0], body_pose(motion, 0))

    return map_in_order(draw, frames, shared.threads)


def _on_cuda(avatar: Avatar, frames: Iterator[Motion], device: str) -> Iterator[UInt8[ndarray, "H W 3"]]:
    require_cuda()
    renderer = CudaRenderer(avatar.canonical, avatar.bases, avatar.camera, avatar.background, device)
    while some := list(islice(frames, BATCH)):
        coefficients = torch.cat([avatar.coefficients(motion) for motion in some])
        yield from renderer.render_many(coefficients, [body_pose(motion, 0) for motion in some])

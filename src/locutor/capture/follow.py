"""One pass over the frames: the flow from each to the next, and the patches of a keyframe found again.

Each frame is decoded once (and once more where the threads' parts meet), and no frame depends on the results of
another: two threads share the clip, and the result does not depend on how.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from jaxtyping import Float, Int, UInt8
from numpy import ndarray

from locutor.capture.covered import alike_share, patch_looks
from locutor.capture.flow import measure_flow
from locutor.capture.keyframe import Sighting, find_patches
from locutor.capture.track import FlowField

N_THREADS = 2


def follow_points(
    grey_frame: Callable[[int], UInt8[ndarray, "H W"]],
    projected: Float[ndarray, "T M 2"],
    flow_rows: Int[ndarray, " F"],
    key_frames: Sequence[int],
    cuts: Sequence[int] = (),
) -> tuple[FlowField, Sighting, Float[ndarray, " T"]]:
    """Measure the flow of some points, and look for the patches around all points in every frame.

    The last of what is returned is the share of the patches that look as in the keyframe.

    Args:
        grey_frame: reads one frame; called from several threads.
        projected: where a track sees the points, px; its motion starts the searches.
        flow_rows: points whose flow is measured; that of the others is not trusted.
        key_frames: the keyframe of each shot.
        cuts: frames with which a new shot begins; no flow is trusted across.
    """
    n_frames, n_points = projected.shape[:2]
    flow = FlowField(np.zeros((n_frames - 1, n_points, 2)), np.zeros((n_frames - 1, n_points), bool))
    sighting = Sighting(projected.copy(), np.zeros((n_frames, n_points), bool))
    shots = np.searchsorted(cuts, np.arange(n_frames), side="right")
    keys = [grey_frame(k) for k in key_frames]
    key_looks = [patch_looks(key, projected[k]) for key, k in zip(keys, key_frames, strict=True)]
    alike = np.zeros(n_frames)

    def follow(frames: range) -> None:
        previous = grey_frame(frames[0] - 1) if frames[0] else None
        for t in frames:
            frame, shot = grey_frame(t), shots[t]
            sighting.px[t], sighting.found[t] = find_patches(
                keys[shot], frame, projected[key_frames[shot]], projected[t]
            )
            alike[t] = alike_share(key_looks[shot], patch_looks(frame, sighting.px[t]))
            if previous is not None and t not in cuts:
                flow.flow[t - 1, flow_rows], flow.trusted[t - 1, flow_rows] = measure_flow(
                    previous, frame, projected[t - 1, flow_rows], projected[t, flow_rows]
                )
            previous = frame

    bounds = np.linspace(0, n_frames, N_THREADS + 1).astype(int).tolist()
    parts = [range(a, b) for a, b in itertools.pairwise(bounds) if a < b]
    with ThreadPoolExecutor(N_THREADS) as pool:
        list(pool.map(follow, parts))
    return flow, sighting, alike

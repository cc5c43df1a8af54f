"""A little footage of the embedded performer, for verbs that need some."""

from __future__ import annotations

import dataclasses
from importlib import resources
from pathlib import Path

from locutor.capture.packed import unpack_performance
from locutor.capture.performance import META, TRACKING, PerformanceMeta, Tracking

N_FRAMES, N_TRAIN = 110, 100
TINY = ("--n-gaussians", "1500", "--n-mouth", "100", "--n-bases", "4")  # an avatar that is trained in seconds


def tiny_performance(out: Path) -> Path:
    """The first frames of the embedded performer as a performance folder."""
    packed = out.with_name("packed")
    packed.mkdir()
    with resources.as_file(resources.files("locutor.actors") / "embedded") as embedded:
        for file in embedded.iterdir():
            (packed / file.name).symlink_to(file)
        meta = PerformanceMeta.load(embedded / META)
        tracking = Tracking.load(embedded / TRACKING)
        (packed / META).unlink()
        (packed / TRACKING).unlink()
        dataclasses.replace(meta, n_frames=N_FRAMES).save(packed / META)
        dataclasses.replace(
            tracking,
            landmarks=tracking.landmarks[:N_FRAMES],
            motion=tracking.motion[:N_FRAMES],
            reference_frame=min(tracking.reference_frame, N_TRAIN - 1),
        ).save(packed / TRACKING)
        for _ in unpack_performance(packed, out):
            pass
    return out

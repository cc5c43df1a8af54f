"""What an avatar of a synthetic performer is worth from sides that its footage never showed.

    LOCUTOR_MODELS=... .venv/bin/python tools/novel_views.py NAME.avatar PERFORMANCE SEED OUT.png [GENERATOR]

Takes some held-out frames of the performance, whose film must be `locutor actor --seed SEED`'s, with head and torso as
the avatar itself refines them. The whole person and the lamps are turned about the head by 0, 15 and 30 degrees to both
sides, which is what a camera on an orbit sees (the wall behind stays). The truth is drawn by `locutor.actors`. Prints
PSNR of the frame and of the person alone; the sheet shows one frame, truth above the avatar.
"""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import numpy as np
from jaxtyping import Float, UInt8
from numpy import ndarray

from locutor.actors.casting import make_actor
from locutor.actors.generators import GENERATORS
from locutor.actors.ict_rig import find_ict_folder, load_rig
from locutor.actors.landmark_table import landmark_table, neutral_landmarks
from locutor.actors.make_performer import VOICES
from locutor.actors.motion import PerformerMotion, perform
from locutor.actors.performance_script import recite
from locutor.actors.procedural_rig import procedural_rig
from locutor.actors.scene import HEAD_PIVOT, TORSO_PIVOT, Actor, Label, Pose, carried, draw
from locutor.avatar.avatar import Avatar
from locutor.avatar.bundle import load_avatar
from locutor.avatar.pose_tracker import refine_poses
from locutor.capture.performance import Performance
from locutor.core.clock import FPS
from locutor.core.face import RIGID
from locutor.core.motion import Motion
from locutor.evaluate.pictures import psnr_db
from locutor.evaluate.protocols import held_out
from locutor.fit.pose_refinement import footage_from
from locutor.geometry.rotation import matrix_from_rotvec, matrix_from_wxyz, wxyz_from_matrix
from locutor.media.pictures import encode_png

ANGLES_DEG = (-30, -15, 0, 15, 30)
N_FRAMES = 6


def performer(seed: int, performance: Performance, generator: str) -> tuple[Actor, PerformerMotion]:
    """The performer again, and how it moved."""
    folder = find_ict_folder()
    rig = load_rig(folder) if folder else procedural_rig()
    recital = recite(len(performance) / FPS, VOICES[seed % len(VOICES)], seed)
    made_by = GENERATORS[generator]
    return make_actor(rig, seed, performance.camera.width, made_by), perform(rig, recital, seed, made_by)


def turned_actor(actor: Actor, pose: Pose, turn: Float[ndarray, "3 3"]) -> tuple[Actor, Pose]:
    """The person and its lamps turned about the head."""
    light = actor.light
    lamps = {name: (turn @ getattr(light, name)).astype(np.float32) for name in ("key", "fill", "rim")}
    origin = neutral_landmarks(actor, landmark_table(actor.rig))[list(RIGID)].mean(0)
    centre = carried(origin[None], np.ones((1, 1)), pose)[0]
    moved = dataclasses.replace(
        pose,
        R_head=turn @ pose.R_head,
        head_shift=turn @ (HEAD_PIVOT + pose.head_shift - centre) + centre - HEAD_PIVOT,
        R_torso=turn @ pose.R_torso,
        torso_shift=turn @ (TORSO_PIVOT + pose.torso_shift - centre) + centre - TORSO_PIVOT,
    )
    return dataclasses.replace(actor, light=dataclasses.replace(light, **lamps)), moved


def turned_motion(motion: Motion, turn: Float[ndarray, "3 3"]) -> Motion:
    """The same for one frame of tracked motion."""
    head_wxyz, head_xyz, torso_wxyz, torso_xyz = motion.require("head_wxyz", "head_xyz", "torso_wxyz", "torso_xyz")
    return motion.with_channels(
        head_wxyz=wxyz_from_matrix(turn @ matrix_from_wxyz(head_wxyz)).astype(np.float32),
        torso_wxyz=wxyz_from_matrix(turn @ matrix_from_wxyz(torso_wxyz)).astype(np.float32),
        torso_xyz=((torso_xyz - head_xyz) @ turn.T + head_xyz).astype(np.float32),
    )


def refined(avatar: Avatar, performance: Performance, frames: ndarray) -> Motion:
    """The frames' motion with the poses that the avatar finds."""
    search = refine_poses(avatar, performance.tracking.motion[frames], footage_from(performance, frames))
    while True:
        try:
            next(search)
        except StopIteration as end:
            return end.value


def main() -> None:
    avatar, performance = load_avatar(Path(sys.argv[1])), Performance(Path(sys.argv[2]))
    seed, out = int(sys.argv[3]), Path(sys.argv[4])
    actor, acted = performer(seed, performance, sys.argv[5] if len(sys.argv) > 5 else "A")
    part = held_out(performance)
    frames = np.linspace(part.start, part.end - 1, N_FRAMES + 2).astype(int)[1:-1]
    motion = refined(avatar, performance, frames)
    sheet: list[UInt8[ndarray, "h w 3"]] = []
    for angle in ANGLES_DEG:
        turn = matrix_from_rotvec(np.array([[0.0, np.radians(angle), 0.0]]))[0]
        figures = []
        for i, k in enumerate(frames):
            truth, labels = draw(*turned_actor(actor, acted.pose(int(k)), turn))
            seen = avatar.render(turned_motion(motion[i : i + 1], turn))
            person = labels != Label.BACKGROUND
            figures.append((psnr_db(truth, seen), psnr_db(truth[person], seen[person])))
            if i == 0:
                sheet.append(np.concatenate([truth, seen]))
        frame, alone = np.mean(figures, axis=0)
        print(f"{angle:+4d} degrees: frame {frame:.2f} dB, person alone {alone:.2f} dB", flush=True)
    out.write_bytes(encode_png(np.concatenate(sheet, 1)))


if __name__ == "__main__":
    main()

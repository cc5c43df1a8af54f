"""Draw twenty performers, look for their faces in a sample of speech, and write docs/performers.jpg.

    LOCUTOR_MODELS=... .venv/bin/python tools/contact_sheet.py [--generator B] [--procedural]

Every fifth frame of ten seconds of each is shown to MediaPipe; prints how many frames have exactly one face.
About half an hour of one core; --every 25 takes a third of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import tyro

from locutor.actors.casting import make_actor
from locutor.actors.generators import GENERATORS
from locutor.actors.ict_rig import find_ict_folder, load_rig
from locutor.actors.make_performer import VOICES
from locutor.actors.motion import perform
from locutor.actors.performance_script import recite
from locutor.actors.procedural_rig import procedural_rig
from locutor.actors.rig import EXPRESSION_ROWS
from locutor.actors.scene import draw
from locutor.capture.detect import FaceLandmarker

ROOT = Path(__file__).resolve().parents[1]
COLUMNS = 5


@dataclass(frozen=True)
class Options:
    """What is drawn.

    Attributes:
        out: the picture to write.
        first, n: seeds.
        generator: "A" or "B".
        procedural: the head made by code in place of the ICT rig.
        seconds, every: length of the speech, and which frames of it are looked at.
        size_px: of the pictures that MediaPipe sees; the sheet has half of it.
    """

    out: Path = ROOT / "docs/performers.jpg"
    first: int = 0
    n: int = 20
    generator: str = "A"
    procedural: bool = False
    seconds: float = 10.0
    every: int = 5
    size_px: int = 384


def main(options: Options) -> None:
    folder = None if options.procedural else find_ict_folder()
    rig = load_rig(folder) if folder else procedural_rig()
    generator = GENERATORS[options.generator]
    found, total, cells = 0, 0, []
    with FaceLandmarker(max_faces=2) as landmarker:
        for seed in range(options.first, options.first + options.n):
            motion = perform(rig, recite(options.seconds, VOICES[seed % len(VOICES)], seed), seed, generator)
            actor = make_actor(rig, seed, options.size_px, generator)
            pictures = [draw(actor, motion.pose(k))[0] for k in range(0, len(motion), options.every)]
            seen = [len(landmarker.detect(rgb)) == 1 for rgb in pictures]
            found, total = found + sum(seen), total + len(seen)
            # The cell shows the frame whose mouth is open among the widest, so that one sees inside.
            widest = np.argsort(motion.expression[:: options.every, EXPRESSION_ROWS["jawOpen"]])[-1 - seed % 5]
            cells.append(cv2.resize(pictures[widest], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA))
            print(f"{rig.name} {options.generator} seed {seed}: one face in {sum(seen)} of {len(seen)}", flush=True)
    print(f"{rig.name} {options.generator}: one face in {found} of {total} frames")
    rows = [np.hstack(cells[k : k + COLUMNS]) for k in range(0, len(cells) - COLUMNS + 1, COLUMNS)]
    cv2.imwrite(str(options.out), np.vstack(rows)[..., ::-1], (cv2.IMWRITE_JPEG_QUALITY, 88))


if __name__ == "__main__":
    main(tyro.cli(Options))

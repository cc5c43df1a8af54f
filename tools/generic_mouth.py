"""How the mouth landmarks follow a generic performer's mouth controls: `drive/generic_mouth.npz`.

    LOCUTOR_MODELS=... python tools/generic_mouth.py

The mean person of the ICT-FaceKit rig (of the procedural one without it), each control by itself. The encoder's
controls are turned into lips with it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from locutor.actors.channels import expression_weights, sided
from locutor.actors.ict_rig import find_ict_folder, load_rig
from locutor.actors.landmark_table import landmark_table
from locutor.actors.mouth_shapes import CONTROLS
from locutor.actors.procedural_rig import procedural_rig
from locutor.core.face import FACE_POINTS, MOUTH_SLICE, OUTER_EYE_CORNERS

OUT = Path(__file__).resolve().parents[1] / "src/locutor/drive/generic_mouth.npz"
WEIGHT = 0.5  # of each control: the middle of its range


def main() -> None:
    folder = find_ict_folder()
    rig = load_rig(folder) if folder else procedural_rig()
    table = landmark_table(rig)
    points = list(FACE_POINTS)
    neutral = table.points(rig.neutral)
    right, left = neutral[list(OUTER_EYE_CORNERS)]
    unit = float(np.linalg.norm(left - right))
    moved = []
    for name in CONTROLS:
        weights = expression_weights(sided({name: np.full(1, WEIGHT)}), 1)[0]
        change = (table.points(rig.deformed(rig.neutral, weights)) - neutral) / (unit * WEIGHT)
        moved.append(change[points][MOUTH_SLICE, :2])
        gap = change[14, 1] - change[13, 1]
        print(f"{name}: lip gap {gap:+.3f}, width {change[291, 0] - change[61, 0]:+.3f}, chin {change[152, 1]:+.3f}")
    np.savez_compressed(OUT, names=np.array(CONTROLS), displacement=np.stack(moved).astype(np.float32))


if __name__ == "__main__":
    main()

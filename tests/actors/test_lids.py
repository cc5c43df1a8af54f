"""A closed lid hides the eye, whatever the head."""

import numpy as np
import pytest

from locutor.actors.body import Material
from locutor.actors.casting import make_actor
from locutor.actors.generators import GENERATORS
from locutor.actors.renderer import visible_triangles
from locutor.actors.rig import EXPRESSION_ROWS
from locutor.actors.scene import Actor, Pose, place


def eye_px(actor: Actor, closure: float) -> int:
    """Pixels that show an eyeball."""
    weights = np.zeros(len(EXPRESSION_ROWS), np.float32)
    for side in ("Left", "Right"):
        weights[EXPRESSION_ROWS[f"eyeBlink{side}"]] = closure
        weights[EXPRESSION_ROWS[f"eyeSquint{side}"]] = 0.5 * closure
    pose = Pose(weights, np.eye(3), np.zeros(3), np.eye(3), np.zeros(3), np.array([0.05, 0.03]))
    vertices, _ = place(actor, pose)
    camera = actor.camera
    seen = visible_triangles(
        camera.project(vertices), vertices[:, 2], actor.triangles, camera.width, camera.height, actor.two_sided
    )
    return int((actor.material[seen.triangle] == Material.EYE).sum())


def test_closed_lids_hide_the_eyes(coded_actor):
    assert eye_px(coded_actor, 1.0) < 0.2 * eye_px(coded_actor, 0.0)


@pytest.mark.parametrize(("generator", "seed"), [("B", 17), ("A", 16)])  # heads whose eyes stood out through the lids
def test_closed_lids_hide_the_eyes_of_scanned_people(real_rig, generator, seed):
    actor = make_actor(real_rig, seed, 256, GENERATORS[generator], shadows=False)
    assert eye_px(actor, 1.0) < 0.2 * eye_px(actor, 0.0)

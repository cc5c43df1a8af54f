import importlib.util

import av
import numpy as np
import pytest

from locutor.actors.casting import make_actor
from locutor.actors.make_performer import Config, make_performer
from locutor.actors.scene import Pose, draw, place
from locutor.core.errors import OutputError
from locutor.core.events import Wrote

pytestmark = pytest.mark.real
IDENTITY = np.eye(3)


@pytest.fixture(scope="module")
def actor(real_rig):
    return make_actor(real_rig, 7, 96)


def _pose(actor, R_head=IDENTITY, **weights: float) -> Pose:
    expression = np.zeros(len(actor.rig.expression), np.float32)
    for name, weight in weights.items():
        expression[actor.rig.expression_rows[name]] = weight
    return Pose(expression, R_head, np.zeros(3), IDENTITY, np.zeros(3), np.zeros(2))


def test_pictures_are_reproducible_and_answer_to_the_pose(actor):
    rest = draw(actor, _pose(actor))
    assert np.array_equal(rest, draw(actor, _pose(actor)))
    moved = np.abs(draw(actor, _pose(actor, jawOpen=0.5)).astype(int) - rest).max(2) > 12
    rows, columns = np.nonzero(moved)
    # Only the middle of the lower face changes.
    assert moved.sum() > 40
    assert 40 < rows.mean() < 70
    assert 40 < columns.mean() < 56
    assert not moved[:25].any()
    assert not moved[:, :20].any()


def test_the_head_turns_and_the_shoulders_stay(actor):
    turn = np.array([[0.99, 0, -0.141], [0, 1, 0], [0.141, 0, 0.99]])
    rest, turned = place(actor, _pose(actor))[0], place(actor, _pose(actor, turn))[0]
    moved = np.linalg.norm(turned - rest, axis=1)
    assert (moved[actor.head_share == 0] < 1e-4).all()
    assert moved[actor.rig.landmarks[30]] > 1.0


def test_render_writes_video_sound_and_truth(actor, tmp_path, monkeypatch, models_dir):
    if importlib.util.find_spec("espeakng_loader") is None:
        pytest.skip("needs the extra tts (espeakng-loader)")
    monkeypatch.setenv("LOCUTOR_MODELS", str(models_dir))
    config = Config(tmp_path / "out", seed=7, seconds=7.0, size_px=96)
    monkeypatch.setattr("locutor.actors.make_performer.make_actor", lambda rig, seed, size_px: actor)
    events = list(make_performer(config))
    assert [e.path.name for e in events if isinstance(e, Wrote)] == ["performer.mp4", "truth.npz"]
    with av.open(str(tmp_path / "out" / "performer.mp4")) as container:
        assert sum(1 for _ in container.decode(video=0)) == 175
        assert container.streams.audio[0].rate == 22050
    with np.load(tmp_path / "out" / "truth.npz") as truth:
        assert truth["expression"].shape == (175, 57)
        assert truth["head_wxyz"].shape == (175, 4)
        assert truth["lip_gap"].max() > 5 * truth["lip_gap"].min()
        assert (np.diff(truth["phoneme_starts_s"]) >= 0).all()
    with pytest.raises(OutputError, match="exists already"):
        list(make_performer(config))

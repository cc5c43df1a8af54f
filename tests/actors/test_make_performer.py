import importlib.util
import json

import av
import numpy as np
import pytest
import soundfile

from locutor.actors.casting import make_actor
from locutor.actors.make_performer import Config, make_performer
from locutor.actors.rig import EXPRESSION_ROWS
from locutor.actors.scene import Label, Pose, draw, place
from locutor.capture.detect import FaceLandmarker
from locutor.capture.image_store import ImageStore
from locutor.cli import verbs
from locutor.core.camera import Camera
from locutor.core.errors import LocutorError, OutputError
from locutor.core.events import Progress, Wrote
from locutor.core.face import FACE_POINTS, LIPS
from locutor.geometry.rotation import matrix_from_rotvec, matrix_from_wxyz
from locutor.provenance.mark import Source
from locutor.provenance.verify import State, shows_nobody, verify

IDENTITY = np.eye(3)
SECONDS = 7.0
needs_voice = pytest.mark.skipif(
    importlib.util.find_spec("espeakng_loader") is None, reason="needs the extra tts (espeakng-loader)"
)


def _pose(R_head=IDENTITY, **weights: float) -> Pose:
    expression = np.zeros(52, np.float32)
    for name, weight in weights.items():
        expression[EXPRESSION_ROWS[name]] = weight
    return Pose(expression, R_head, np.zeros(3), IDENTITY, np.zeros(3), np.zeros(2))


@pytest.fixture(scope="module")
def made(coded_actor, tmp_path_factory):
    """A performance of the head made by code."""
    out = tmp_path_factory.mktemp("actor") / "dir"
    patch = pytest.MonkeyPatch()
    patch.setattr("locutor.actors.make_performer.make_actor", lambda rig, seed, size_px, generator: coded_actor)
    events = list(make_performer(Config(out, seed=33, voice="en-us", seconds=SECONDS, size_px=96, procedural=True)))
    patch.undo()
    return out, events


def test_pictures_are_reproducible_and_answer_to_the_pose(coded_actor):
    rest = draw(coded_actor, _pose())[0]
    assert np.array_equal(rest, draw(coded_actor, _pose())[0])
    moved = np.abs(draw(coded_actor, _pose(jawOpen=0.5))[0].astype(int) - rest).max(2) > 12
    rows, columns = np.nonzero(moved)
    # Only the middle of the lower face changes.
    assert moved.sum() > 40
    assert 40 < rows.mean() < 74
    assert 40 < columns.mean() < 56
    assert not moved[:25].any()
    assert not moved[:, :20].any()


def test_labels_tell_head_torso_and_the_inside_of_the_mouth(coded_actor):
    shut, opened = draw(coded_actor, _pose())[1], draw(coded_actor, _pose(jawOpen=0.5))[1]
    assert (shut == Label.BACKGROUND)[:5, :5].all()
    assert (shut == Label.TORSO)[-3:, 30:66].all()
    assert (shut == Label.HEAD)[30:50, 40:56].all()
    assert (shut == Label.INSIDE_MOUTH).sum() < 6
    inside = np.argwhere(opened == Label.INSIDE_MOUTH)
    assert len(inside) > 20
    assert abs(inside[:, 1].mean() - 48) < 3


def test_the_head_turns_and_the_shoulders_stay(coded_actor):
    turn = matrix_from_rotvec(np.array([0.0, 0.14, 0.0]))
    rest, turned = place(coded_actor, _pose())[0], place(coded_actor, _pose(turn))[0]
    moved = np.linalg.norm(turned - rest, axis=1)
    assert (moved[coded_actor.head_share == 0] < 1e-4).all()
    assert moved[coded_actor.rig.landmarks[30]] > 1.0


@pytest.mark.real
def test_both_rigs_make_faces_that_mediapipe_finds(coded_rig, real_rig, models_dir, monkeypatch):
    pytest.importorskip("mediapipe")
    monkeypatch.setenv("LOCUTOR_MODELS", str(models_dir))
    with FaceLandmarker() as landmarker:
        for rig, seed in ((coded_rig, 7), (real_rig, 13)):  # long hair; long hair, beard and glasses
            actor = make_actor(rig, seed, 192, shadows=False)
            for k, angles in enumerate(((0, 0, 0), (0.08, 0.14, 0.05), (-0.08, -0.14, -0.05))):
                pose = _pose(matrix_from_rotvec(np.array(angles, float)), jawOpen=0.2 * k)
                assert len(landmarker.detect(draw(actor, pose)[0])) == 1, (rig.name, k)


@needs_voice
def test_the_folder_holds_film_sound_labels_and_truth(made):
    out, events = made
    assert [e.path for e in events if isinstance(e, Wrote)] == [out]
    assert any(isinstance(e, Progress) and e.stage == "rendering" for e in events)
    assert {p.name for p in out.iterdir()} == {
        "performer.mp4", "performer.wav", "truth.npz", "labels.images", "meta.json",
    }  # fmt: skip
    with av.open(str(out / "performer.mp4")) as container:
        assert sum(1 for _ in container.decode(video=0)) == 175
        assert container.streams.audio[0].rate == 22050
    assert soundfile.info(str(out / "performer.wav")).duration == SECONDS
    labels = ImageStore(out / "labels.images")
    assert len(labels) == 175
    assert set(np.unique(labels.grey(60))) >= {Label.BACKGROUND, Label.TORSO, Label.HEAD, Label.LIPS}
    meta = json.loads((out / "meta.json").read_text())
    assert meta["synthetic"] is True
    assert (meta["rig"], meta["generator"], meta["seed"]) == ("procedural", "A", 33)


@needs_voice
def test_the_truth_agrees_with_itself(made):
    """Displacements, head pose and camera give the landmarks in the picture again."""
    with np.load(made[0] / "truth.npz") as truth:
        assert truth["motion_blendshapes"].shape == (175, 52)
        assert truth["motion_face"].shape == (175, 120, 2)
        assert truth["motion_valid"].all()
        assert np.ptp(truth["lip_gap"]) > 0.1  # landmarks 13 and 14 lie apart even on closed lips
        assert (np.diff(truth["phoneme_starts_s"]) >= 0).all()
        lips = [FACE_POINTS.index(point) for point in LIPS]
        neutral = truth["neutral"][list(LIPS)]
        camera = Camera(96, 96, *(float(v) for v in truth["camera"]))
        for frame in (0, 60, 120):
            R, xyz = matrix_from_wxyz(truth["motion_head_wxyz"][frame]), truth["motion_head_xyz"][frame]
            flat = neutral[:, :2] + truth["motion_face"][frame, lips]
            # The depth of an open mouth is not in `face`; at this focal length it hardly shows.
            world = np.concatenate([flat, neutral[:, 2:]], 1) @ R.T + xyz
            assert np.abs(camera.project(world) - truth["landmarks"][frame, list(LIPS), :2]).max() < 0.6


@needs_voice
def test_the_same_seed_gives_the_same_bytes(made, coded_actor, tmp_path, monkeypatch):
    monkeypatch.setattr("locutor.actors.make_performer._render", lambda *_: iter(()))
    monkeypatch.setattr("locutor.actors.make_performer.make_actor", lambda rig, seed, size_px, generator: coded_actor)
    list(
        make_performer(Config(tmp_path / "again", seed=33, voice="en-us", seconds=SECONDS, size_px=96, procedural=True))
    )
    with np.load(made[0] / "truth.npz") as first, np.load(tmp_path / "again" / "truth.npz") as again:
        for name in first.files:
            assert first[name].tobytes() == again[name].tobytes(), name
    assert (made[0] / "performer.wav").read_bytes() == (tmp_path / "again" / "performer.wav").read_bytes()


@needs_voice
def test_a_folder_that_exists_is_refused_and_a_failure_leaves_nothing(made, coded_actor, tmp_path, monkeypatch):
    with pytest.raises(OutputError, match="exists already"):
        list(make_performer(Config(made[0])))
    with pytest.raises(LocutorError, match="no generator 'C'"):
        list(make_performer(Config(tmp_path / "c", generator="C")))

    def broken(*_: object) -> None:
        raise RuntimeError("drawing failed")

    monkeypatch.setattr("locutor.actors.make_performer.make_actor", lambda rig, seed, size_px, generator: coded_actor)
    monkeypatch.setattr("locutor.actors.make_performer.frames", broken)
    with pytest.raises(RuntimeError, match="drawing failed"):
        list(make_performer(Config(tmp_path / "broken", seconds=2.0, size_px=96, procedural=True)))
    assert list(tmp_path.iterdir()) == []


@needs_voice
def test_capture_takes_the_folder_like_a_film(made, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(verbs, "capture_film", lambda film, out, config, consent: asked.append(film) or iter(()))
    list(verbs.capture(made[0], tmp_path / "p", verbs.CaptureConfig()))
    list(verbs.capture(tmp_path / "other.mp4", tmp_path / "q", verbs.CaptureConfig()))
    assert asked == [made[0] / "performer.mp4", tmp_path / "other.mp4"]


@needs_voice
def test_its_film_says_that_it_shows_nobody(made):
    film = made[0] / "performer.mp4"
    verdict = verify(film)
    assert verdict.state is State.VALID
    assert verdict.source == Source.ALGORITHM.uri
    assert verdict.avatar_id == "performer A 33"
    assert shows_nobody(film)


def test_other_films_do_not(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"no film")
    assert not shows_nobody(tmp_path / "a.mp4")
    assert not shows_nobody(tmp_path / "a.mpg")

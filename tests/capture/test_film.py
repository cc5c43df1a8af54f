"""From a film to a performance: what is refused, and one real run."""

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from locutor.capture.config import CaptureConfig
from locutor.capture.detect import FaceLandmarker
from locutor.capture.film import capture_film
from locutor.capture.image_store import ImageStoreWriter
from locutor.capture.performance import Performance
from locutor.core.clock import SAMPLES_PER_FRAME
from locutor.core.errors import FootageError, MediaError, OutputError
from locutor.core.events import Event, Progress, Warned, Wrote
from locutor.media.writer import VideoWriter

SIZE = 256
SMALL = CaptureConfig(size=SIZE)


def film_of(path: Path, pictures: list[np.ndarray], n_frames: int) -> Path:
    """A silent film that shows the pictures in turn."""
    height, width = pictures[0].shape[:2]
    with VideoWriter(path, width, height) as writer:
        for k in range(n_frames):
            writer.write_frame(pictures[k % len(pictures)])
    return path


def swaying(picture: np.ndarray, n_frames: int) -> list[np.ndarray]:
    """The picture as a hand-held camera sees it: a film of it is no still."""
    moves = [
        cv2.getRotationMatrix2D((SIZE / 2, SIZE / 2), 1.5 * np.sin(k / 7), 1 + 0.02 * np.sin(k / 9))
        for k in range(n_frames)
    ]
    return [cv2.warpAffine(picture, A, (SIZE, SIZE), borderMode=cv2.BORDER_REFLECT) for A in moves]


def portraits(media_dir: Path) -> list[np.ndarray]:
    """Faces that a program made."""
    found = sorted((media_dir / "image").glob("*aiface*"))
    if len(found) < 2:
        pytest.skip("no generated portraits there")
    return [cv2.resize(cv2.imread(str(path))[..., ::-1], (SIZE, SIZE), interpolation=cv2.INTER_AREA) for path in found]


def refused(error: type[Exception], film: Path, out: Path, match: str, config: CaptureConfig = SMALL) -> None:
    """Capturing must fail with this error, and nothing may lie beside `out` afterwards."""
    before = set(out.parent.iterdir())
    with pytest.raises(error, match=match):
        list(capture_film(film, out, config))
    assert set(out.parent.iterdir()) == before


def test_an_existing_folder_is_left_alone(tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "precious").write_text("mine")
    refused(OutputError, tmp_path / "any.mp4", out, "exists already")
    assert (out / "precious").read_text() == "mine"


def test_a_file_that_is_no_film(tmp_path):
    film = tmp_path / "film.mp4"
    film.write_bytes(b"this is not a film" * 100)
    refused(MediaError, film, tmp_path / "out", r"film\.mp4")
    refused(MediaError, tmp_path / "nowhere.mp4", tmp_path / "out", "does not exist")


@pytest.mark.real
@pytest.mark.usefixtures("models_dir")
def test_no_face(tmp_path):
    rng = np.random.default_rng(0)
    noise = [rng.integers(0, 255, (SIZE, SIZE, 3)).astype(np.uint8) for _ in range(5)]
    film = film_of(tmp_path / "noise.mp4", noise, 60)
    refused(FootageError, film, tmp_path / "out", r"no face was found in .*noise\.mp4")


@pytest.mark.real
@pytest.mark.usefixtures("models_dir")
def test_two_faces(media_dir, tmp_path):
    pair = np.concatenate(portraits(media_dir)[:2], axis=1)
    film = film_of(tmp_path / "two.mp4", [pair], 60)
    refused(FootageError, film, tmp_path / "out", r"two\.mp4 shows two faces")


@pytest.mark.real
@pytest.mark.usefixtures("models_dir")
def test_two_seconds_are_too_short(media_dir, tmp_path):
    film = film_of(tmp_path / "short.mp4", swaying(portraits(media_dir)[0], 50), 50)
    refused(FootageError, film, tmp_path / "out", r"short\.mp4 is only 2\.0 s long")


@pytest.mark.real
@pytest.mark.usefixtures("models_dir")
def test_a_still_picture(media_dir, tmp_path):
    film = film_of(tmp_path / "still.mp4", portraits(media_dir)[:1], 75)
    refused(FootageError, film, tmp_path / "out", r"still\.mp4 shows a still picture")


@pytest.mark.real
@pytest.mark.usefixtures("models_dir")
def test_a_cut_to_another_person(media_dir, tmp_path):
    first, second = (swaying(picture, 40) for picture in portraits(media_dir)[:2])
    film = film_of(tmp_path / "cut.mp4", first + second, 80)
    refused(FootageError, film, tmp_path / "out", r"cut\.mp4 cuts to another person at 1\.6 s")


@pytest.mark.real
@pytest.mark.usefixtures("models_dir")
def test_a_face_of_sixteen_pixels(media_dir, tmp_path):
    face = cv2.resize(portraits(media_dir)[0], (28, 28), interpolation=cv2.INTER_AREA)
    wide = np.full((96, 160, 3), 120, np.uint8)
    wide[40:68, 100:128] = face
    film = film_of(tmp_path / "tiny.mp4", [wide], 75)
    refused(FootageError, film, tmp_path / "out", r"the face is only 1\d px high|no face was found in .*tiny\.mp4")


@pytest.mark.real
@pytest.mark.usefixtures("models_dir")
def test_a_face_that_is_seldom_seen(media_dir, tmp_path):
    face = portraits(media_dir)[0]
    film = film_of(tmp_path / "seldom.mp4", swaying(face, 45) + [np.full_like(face, 120)] * 45, 90)
    refused(FootageError, film, tmp_path / "out", r"no face in (44|45|46) of 90 frames of .*first at 1\.\d s")


@pytest.mark.real
@pytest.mark.usefixtures("models_dir")
def test_a_part_that_the_film_does_not_have(media_dir, tmp_path):
    film = film_of(tmp_path / "film.mp4", portraits(media_dir)[:1], 60)
    refused(FootageError, film, tmp_path / "out", "--start 9 is not within", CaptureConfig(start_s=9.0))
    refused(FootageError, film, tmp_path / "out", "--end 1 is not after", CaptureConfig(start_s=1.5, end_s=1.0))
    refused(FootageError, film, tmp_path / "out", "frames of 8 px", CaptureConfig(size=8))


@pytest.fixture(scope="module")
def french(media_dir: Path, models_dir: Path) -> Path:
    film = media_dir / "video" / "french_50s_512_30fps.mp4"
    if not film.is_file():
        pytest.skip(f"{film} is not there")
    return film


@pytest.mark.real
def test_a_stopped_capture_goes_on_where_it_was(french, captured, tmp_path, monkeypatch):
    """Stopped in the pass over the film and again after the head's track: the result is that of one run."""
    out, config = tmp_path / "out", CaptureConfig(end_s=3.0)
    events = capture_film(french, out, config)
    next(e for e in events if isinstance(e, Progress) and e.stage == "finding the face" and e.done == 50)
    events.close()
    assert not out.exists()
    again, n_observed = capture_film(french, out, config), []
    monkeypatch.setattr(FaceLandmarker, "detect", counted(FaceLandmarker.detect, n_observed))
    next(e for e in again if isinstance(e, Progress) and e.stage == "solving the pose" and e.done == 1)
    again.close()
    assert len(n_observed) < 40  # the last 25 frames; each of the models looks at one more as it starts
    monkeypatch.setattr("locutor.capture.solve.track_head", None)  # would fail if it were called
    list(capture_film(french, out, config))
    assert [p.name for p in tmp_path.iterdir()] == ["out"]
    whole, resumed = Performance(captured[0]), Performance(out)
    for name, channel in whole.tracking.motion.channels().items():
        np.testing.assert_allclose(resumed.tracking.motion.channels()[name], channel, atol=1e-4, err_msg=name)
    np.testing.assert_array_equal(whole.frames.rgb(60), resumed.frames.rgb(60))


def counted(function, calls: list):
    def call(*args):
        calls.append(1)
        return function(*args)

    return call


@pytest.mark.real
def test_a_full_disk_keeps_what_was_finished(french, tmp_path, monkeypatch):
    out, config = tmp_path / "out", CaptureConfig(end_s=3.0)

    def full(self, encoded):
        raise OutputError("the disk is full", "free some space")

    with monkeypatch.context() as patch:
        patch.setattr(ImageStoreWriter, "append_encoded", full)
        with pytest.raises(OutputError, match="disk"):
            list(capture_film(french, out, config))
    assert not out.exists()
    assert [p.name for p in tmp_path.iterdir()] == [".out.part"]


@pytest.fixture(scope="module")
def captured(french: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Event]]:
    """The first three seconds of a real film."""
    out = tmp_path_factory.mktemp("captured") / "out"
    events = list(capture_film(french, out, CaptureConfig(end_s=3.0)))
    return out, events


@pytest.mark.real
def test_a_real_film_gives_a_steady_track(captured):
    out, events = captured
    performance = Performance(out)
    assert abs(len(performance) - 75) <= 1
    quality = performance.meta.quality
    assert quality.residual_flow_px < 0.4
    assert quality.residual_flow_px < quality.residual_flow_landmarks_px
    assert quality.torso_inlier_share > 0.5
    assert isinstance(events[-1], Wrote)
    assert events[-1].path == out


@pytest.mark.real
def test_a_real_film_is_whole(captured):
    out, _ = captured
    performance = Performance(out)
    n = len(performance)
    assert len(performance.frames) == n == len(performance.tracking.landmarks) == len(performance.tracking.motion)
    assert len(performance.sound) == n * SAMPLES_PER_FRAME
    assert performance.sound.std() > 1e-3
    assert performance.frames.rgb(n - 1).shape == (512, 512, 3)
    motion = performance.tracking.motion
    for name, channel in motion.channels().items():
        assert np.isfinite(channel).all(), name
    assert motion.valid.all()
    assert np.abs(motion.face).max() < 0.5
    inside = performance.tracking.landmarks[:, :468, :2]
    assert inside.min() > 0
    assert inside.max() < 512
    middle = performance.matte(0)[256, 256]
    assert middle > 200  # the person is in the middle


def n_mere_notes(folder: Path) -> int:
    findings = json.loads((folder / "capture.json").read_text())["findings"]
    return sum(finding["grade"] == "good" for finding in findings)


@pytest.mark.real
def test_the_report_says_what_is_wrong(captured):
    out, events = captured
    record = json.loads((out / "capture.json").read_text())
    assert record["verdict"] == "unusable"  # three seconds
    assert record["findings"][0]["what"] == "only 3 s of footage"
    assert any(isinstance(e, Warned) and "only 3 s of footage" in e.message for e in events)
    figures = record["figures"]
    assert figures["residual_flow_px"] < figures["residual_flow_raw_px"]
    assert figures["missing_frames"] == figures["n_cuts"] == 0
    page = (out / "capture.html").read_text()
    assert page.count("data:image/jpeg") == 12
    assert "only 3 s of footage" in page
    assert "<polyline" in page


@pytest.mark.real
def test_progress_never_goes_back(captured):
    _, events = captured
    notes = [e.message for e in events if isinstance(e, Warned)]
    assert len(notes) == len(json.loads((captured[0] / "capture.json").read_text())["findings"]) + 1 - n_mere_notes(
        captured[0]
    )
    for stage in {e.stage for e in events if isinstance(e, Progress)}:
        done = [e.done for e in events if isinstance(e, Progress) and e.stage == stage]
        assert done == sorted(done)
    last = {e.stage: e for e in events if isinstance(e, Progress)}
    assert all(e.done == e.total for e in last.values())


@pytest.mark.real
def test_a_film_without_sound_says_so(models_dir, media_dir, tmp_path):
    film = film_of(tmp_path / "silent.mp4", swaying(portraits(media_dir)[0], 75), 75)
    events = list(capture_film(film, tmp_path / "out", SMALL))
    assert any(isinstance(e, Warned) and "no sound track" in e.message for e in events)
    performance = Performance(tmp_path / "out")
    assert not performance.meta.has_sound
    assert performance.sound.shape == (0,)
    shutil.rmtree(tmp_path / "out")

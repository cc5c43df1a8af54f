"""From a film to a performance: what is refused, and one real run."""

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from locutor.capture.config import CaptureConfig
from locutor.capture.film import capture_film
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
def test_too_short(media_dir, tmp_path):
    film = film_of(tmp_path / "short.mp4", portraits(media_dir)[:1], 20)
    refused(FootageError, film, tmp_path / "out", r"short\.mp4 is only 0\.8 s long")


@pytest.mark.real
@pytest.mark.usefixtures("models_dir")
def test_a_face_that_is_seldom_seen(media_dir, tmp_path):
    face = portraits(media_dir)[0]
    film = film_of(tmp_path / "seldom.mp4", [face] * 30 + [np.full_like(face, 120)] * 30, 60)
    refused(FootageError, film, tmp_path / "out", r"no face in (29|30|31) of 60 frames of .*first at 1\.\d s")


@pytest.mark.real
@pytest.mark.usefixtures("models_dir")
def test_stopping_half_way_leaves_nothing(media_dir, tmp_path):
    film = film_of(tmp_path / "film.mp4", portraits(media_dir)[:1], 60)
    events = capture_film(film, tmp_path / "out", SMALL)
    next(events)
    events.close()
    assert [p.name for p in tmp_path.iterdir()] == ["film.mp4"]


@pytest.fixture(scope="module")
def captured(media_dir: Path, models_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Event]]:
    """The first three seconds of a real film."""
    film = media_dir / "video" / "french_50s_512_30fps.mp4"
    if not film.is_file():
        pytest.skip(f"{film} is not there")
    out = tmp_path_factory.mktemp("captured") / "out"
    events = list(capture_film(film, out, CaptureConfig(end_s=3.0)))
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


@pytest.mark.real
def test_progress_never_goes_back(captured):
    _, events = captured
    assert not [e for e in events if isinstance(e, Warned)]
    for stage in {e.stage for e in events if isinstance(e, Progress)}:
        done = [e.done for e in events if isinstance(e, Progress) and e.stage == stage]
        assert done == sorted(done)
    last = {e.stage: e for e in events if isinstance(e, Progress)}
    assert all(e.done == e.total for e in last.values())


@pytest.mark.real
def test_a_film_without_sound_says_so(models_dir, media_dir, tmp_path):
    film = film_of(tmp_path / "silent.mp4", portraits(media_dir)[:1], 60)
    events = list(capture_film(film, tmp_path / "out", SMALL))
    assert any(isinstance(e, Warned) and "no sound track" in e.message for e in events)
    performance = Performance(tmp_path / "out")
    assert not performance.meta.has_sound
    assert performance.sound.shape == (0,)
    shutil.rmtree(tmp_path / "out")

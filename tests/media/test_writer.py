import resource
import signal
from pathlib import Path

import numpy as np
import pytest

from locutor.core.errors import OutputError
from locutor.media.audio import read_audio
from locutor.media.video import iterate_frames, probe_video
from locutor.media.writer import VideoWriter


def picture(k: int, height: int = 48, width: int = 64) -> np.ndarray:
    image = np.zeros((height, width, 3), np.uint8)
    image[:, : width // 2] = (200, 60, 30)
    image[:, width // 2 :] = (30, 60 + 2 * k, 200)
    return image


def chirp(n_samples: int) -> np.ndarray:
    t = np.arange(n_samples) / 16000
    return (0.4 * np.sin(2 * np.pi * (200 + 300 * t) * t)).astype(np.float32)


def write_film(path: Path, n_frames: int = 40, **options) -> np.ndarray:
    sound = chirp(n_frames * 640 - 100)
    with VideoWriter(path, 64, 48, **options) as writer:
        for k in range(n_frames):
            writer.write_frame(picture(k))
            writer.write_audio(sound[k * 640 : (k + 1) * 640])
    return sound


def test_picture_and_sound_come_back(tmp_path):
    path = tmp_path / "film.mp4"
    sound = write_film(path)
    assert [p.name for p in tmp_path.iterdir()] == ["film.mp4"]
    info = probe_video(path)
    assert (info.width, info.height, info.fps) == (64, 48, 25)
    frames = list(iterate_frames(path))
    assert len(frames) == 40
    for k in (0, 17, 39):
        assert np.abs(frames[k][8:40, 8:24].mean((0, 1)) - (200, 60, 30)).max() < 5
        assert np.abs(frames[k][8:40, 40:56].mean((0, 1)) - (30, 60 + 2 * k, 200)).max() < 5
    heard = read_audio(path)[: len(sound)]
    assert abs(len(heard) - len(sound)) < 1024
    # In step to the sample: the correlation peaks without any shift.
    shifts = range(-40, 41)
    match = [float(np.dot(heard[100:20000], sound[100 + s : 20000 + s])) for s in shifts]
    assert shifts[int(np.argmax(match))] == 0


def test_index_comes_before_the_data(tmp_path):
    write_film(tmp_path / "film.mp4")
    data = (tmp_path / "film.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


def test_odd_size_is_padded(tmp_path):
    with VideoWriter(tmp_path / "odd.mp4", 63, 47) as writer:
        for k in range(5):
            writer.write_frame(picture(k, 47, 63))
    info = probe_video(tmp_path / "odd.mp4")
    assert (info.width, info.height) == (64, 48)


def test_existing_file_is_kept(tmp_path):
    path = tmp_path / "film.mp4"
    path.write_bytes(b"mine")
    with pytest.raises(OutputError, match="exists already"):
        VideoWriter(path, 64, 48)
    assert path.read_bytes() == b"mine"
    write_film(path, overwrite=True)
    assert probe_video(path).width == 64


def test_failure_leaves_nothing(tmp_path):
    path = tmp_path / "film.mp4"

    def write_and_fail() -> None:
        with VideoWriter(path, 64, 48) as writer:
            for k in range(30):
                writer.write_frame(picture(k))
                writer.write_audio(chirp(640))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_and_fail()
    assert list(tmp_path.iterdir()) == []


def test_wrong_size_and_missing_folder_and_no_frame(tmp_path):
    with pytest.raises(OutputError, match="frame 0"), VideoWriter(tmp_path / "a.mp4", 64, 48) as writer:
        writer.write_frame(picture(0, 50, 64))
    with pytest.raises(OutputError, match="does not exist"), VideoWriter(tmp_path / "no" / "a.mp4", 64, 48):
        pass
    with pytest.raises(OutputError, match="no picture"), VideoWriter(tmp_path / "a.mp4", 64, 48):
        pass
    with pytest.raises(OutputError, match="positive"):
        VideoWriter(tmp_path / "a.mp4", 0, 48)
    assert list(tmp_path.iterdir()) == []


def test_no_space(tmp_path):
    """A limit on the size of files stands in for a full disk."""
    rng = np.random.default_rng(0)

    def write_noise() -> None:
        with VideoWriter(tmp_path / "film.mp4", 256, 256) as writer:
            for _ in range(100):
                writer.write_frame(rng.integers(0, 256, (256, 256, 3), dtype=np.uint8))
                writer.write_audio(np.zeros(640, np.float32))

    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        with pytest.raises(OutputError, match="full"):
            write_noise()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert list(tmp_path.iterdir()) == []


def test_writing_and_reading_keep_the_brightness(tmp_path):
    """swscale's default rounding darkens by more than a grey level."""
    ramp = np.add.outer(np.linspace(10, 110, 64), np.linspace(10, 110, 64))
    picture = np.stack([ramp, 0.9 * ramp + 10, 0.8 * ramp + 20], -1).astype(np.uint8)
    path = tmp_path / "ramp.mp4"
    with VideoWriter(path, 64, 64, crf=1) as writer:
        for _ in range(3):
            writer.write_frame(picture)
    read = next(iter(iterate_frames(path)))
    assert np.abs((read.astype(float) - picture).mean((0, 1))).max() < 0.5

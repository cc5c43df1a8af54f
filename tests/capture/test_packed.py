from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.synthetic.performer import N_FRAMES, SIZE

from locutor.capture.framing import Framing
from locutor.capture.packed import CARRIED, VIDEO, pack_performance, unpack_performance
from locutor.capture.performance import META, Performance
from locutor.core.clock import SAMPLES_PER_FRAME
from locutor.core.errors import FormatError, OutputError
from locutor.core.events import Progress, Wrote
from locutor.media.writer import VideoWriter

LEFT, TOP = 22, 6


@pytest.fixture(scope="module")
def film(performance: Performance, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The film that the performance might have been cut out of, with a border."""
    return write_film(performance, tmp_path_factory.mktemp("film") / "film.mp4", N_FRAMES)


def write_film(performance: Performance, path: Path, n_frames: int) -> Path:
    with VideoWriter(path, SIZE + 48, SIZE + 16, crf=4) as writer:
        for k in range(n_frames):
            border = ((TOP, 16 - TOP), (LEFT, 48 - LEFT), (0, 0))
            writer.write_frame(np.pad(performance.frames.rgb(k), border, mode="edge"))
            writer.write_audio(performance.sound[k * SAMPLES_PER_FRAME : (k + 1) * SAMPLES_PER_FRAME])
    return path


@pytest.fixture(scope="module")
def packed(performance: Performance, film: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("packed") / "performer"
    pack_performance(performance, film, out)
    replace(performance.meta, framing=Framing(LEFT, TOP, SIZE, SIZE)).save(out / META)
    return out


def test_packed_form_has_no_frames(packed: Path):
    assert {p.name for p in packed.iterdir()} == {*CARRIED, VIDEO}


def test_unpacking_gives_the_performance_back(performance: Performance, packed: Path, tmp_path):
    events = list(unpack_performance(packed, tmp_path / "out"))
    assert isinstance(events[-1], Wrote)
    assert events[-1].path == tmp_path / "out"
    steps = [e for e in events if isinstance(e, Progress)]
    assert steps[-1].done == steps[-1].total == N_FRAMES
    assert [p.name for p in tmp_path.iterdir()] == ["out"]

    back = Performance(tmp_path / "out")
    assert len(back) == len(back.frames) == N_FRAMES
    np.testing.assert_array_equal(back.tracking.landmarks, performance.tracking.landmarks)
    np.testing.assert_array_equal(back.tracking.motion.face, performance.tracking.motion.face)
    np.testing.assert_array_equal(back.plate, performance.plate)
    np.testing.assert_array_equal(back.matte(7), performance.matte(7))
    for k in (0, 17, N_FRAMES - 1):
        error = back.frames.rgb(k).astype(float) - performance.frames.rgb(k)
        assert np.sqrt((error**2).mean()) < 8  # 4:2:0 colour costs most
        assert abs(error.mean()) < 2


def test_sound_is_as_long_as_the_frames_and_in_step(performance: Performance, packed: Path, tmp_path):
    list(unpack_performance(packed, tmp_path / "out"))
    sound, true = Performance(tmp_path / "out").sound, performance.sound
    assert len(sound) == N_FRAMES * SAMPLES_PER_FRAME
    shifts = range(-30, 31)
    inner = slice(2000, -2000)
    match = [np.dot(np.roll(sound, s)[inner], true[inner]) for s in shifts]
    assert abs(shifts[int(np.argmax(match))]) <= 1


def test_a_film_that_is_too_short_is_refused_and_nothing_is_left(performance: Performance, packed: Path, tmp_path):
    other = tmp_path / "packed"
    pack_performance(performance, write_film(performance, tmp_path / "short.mp4", 60), other)
    replace(performance.meta, framing=Framing(LEFT, TOP, SIZE, SIZE)).save(other / META)
    with pytest.raises(FormatError, match="has 60 frames, its tracking 110"):
        list(unpack_performance(other, tmp_path / "out"))
    assert {p.name for p in tmp_path.iterdir()} == {"packed", "short.mp4"}


def test_stopping_half_way_leaves_nothing(packed: Path, tmp_path):
    events = unpack_performance(packed, tmp_path / "out")
    next(events)
    events.close()
    assert list(tmp_path.iterdir()) == []


def test_existing_folders_are_left_alone(performance: Performance, film: Path, packed: Path, tmp_path):
    (tmp_path / "mine").write_text("precious")
    with pytest.raises(OutputError, match="exists already"):
        next(unpack_performance(packed, tmp_path / "mine"))
    with pytest.raises(OutputError, match="exists already"):
        pack_performance(performance, film, tmp_path / "mine")
    assert (tmp_path / "mine").read_text() == "precious"


def test_a_folder_that_is_not_packed(tmp_path):
    with pytest.raises(FormatError, match=META):
        next(unpack_performance(tmp_path, tmp_path / "out"))


def test_a_part_of_a_film_is_unpacked_from_where_it_began(performance: Performance, film: Path, tmp_path: Path):
    skipped = 25
    packed = tmp_path / "part"
    pack_performance(performance, film, packed)
    framing = Framing(LEFT, TOP, SIZE, SIZE)
    meta = replace(performance.meta, framing=framing, n_frames=N_FRAMES - skipped, start_s=1.0)
    meta.save(packed / META)
    list(unpack_performance(packed, tmp_path / "out"))
    part = Performance(tmp_path / "out")
    difference = part.frames.rgb(3).astype(int) - performance.frames.rgb(3 + skipped)
    assert np.abs(difference).mean() < 3
    assert np.corrcoef(part.sound[:16000], performance.sound[16000:32000])[0, 1] > 0.99

import contextlib
import warnings
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from tools.torture.mutate import mutated_bytes

from locutor.core.errors import MediaError
from locutor.media.opening import MediaWarning
from locutor.media.video import iterate_frames, probe_video


def read_indices(path: Path, **options) -> list[int]:
    """The numbers of the source frames, told from their grey."""
    return [round((int(f[-4, -4].mean()) - 16) / 4) for f in iterate_frames(path, **options)]


def test_probe(make_video):
    info = probe_video(make_video(tone_rate=44100))
    assert (info.width, info.height, info.rotation_deg, info.has_audio) == (64, 48, 0, True)
    assert info.fps == pytest.approx(25)
    assert info.duration_s == pytest.approx(2.0, abs=0.03)
    assert not probe_video(make_video("silent.mp4")).has_audio


@pytest.mark.parametrize(("name", "codec"), [("a.mp4", "libx264"), ("a.mkv", "libx264"), ("a.avi", "mpeg4")])
def test_25_fps_is_passed_through(make_video, name, codec):
    assert read_indices(make_video(name, codec=codec)) == list(range(50))


@pytest.mark.parametrize("rate", [Fraction(30), Fraction(30000, 1001), Fraction(24), Fraction(15), Fraction(50)])
def test_other_rates_give_the_nearest_picture(make_video, rate):
    indices = read_indices(make_video(rate=rate))
    n = round(50 / rate * 25)
    assert abs(len(indices) - n) <= 1
    wanted = np.arange(len(indices)) / 25 * float(rate)
    assert np.abs(np.array(indices) - np.minimum(wanted, 49)).max() <= 0.55


def test_uneven_time_stamps_hold_a_picture(make_video):
    pts = [0, 1, 2, 13, 14, 15]  # a picture that stays for eleven frames
    indices = read_indices(make_video("vfr.mkv", n_frames=6, pts=pts))
    assert indices[:3] == [0, 1, 2]
    assert set(indices[3:13]) == {2, 3}
    assert indices[13:16] == [3, 4, 5]


def test_part_of_a_film(make_video):
    path = make_video(n_frames=50)
    assert read_indices(path, start_s=0.4, end_s=0.8) == list(range(10, 20))
    assert read_indices(path, start_s=1.6) == list(range(40, 50))


def test_colours_and_position(make_video):
    first = next(iterate_frames(make_video()))
    assert first.dtype == np.uint8
    assert first.shape == (48, 64, 3)
    assert np.abs(first[10, 10].astype(int) - (40, 40, 200)).max() < 12


def rotate_flag(path: Path) -> None:
    """Write a quarter turn into the track header of an mp4 file."""
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4 + 40
    one = (0x10000).to_bytes(4, "big")
    minus = (0xFFFF0000).to_bytes(4, "big")
    zero = bytes(4)
    data[at : at + 36] = zero + one + zero + minus + zero + zero + zero + zero + (0x40000000).to_bytes(4, "big")
    path.write_bytes(data)


def test_rotation_flag_is_applied(make_video):
    path = make_video()
    rotate_flag(path)
    info = probe_video(path)
    assert (info.width, info.height) == (48, 64)
    assert abs(info.rotation_deg) == 90
    first = next(iterate_frames(path))
    assert first.shape == (64, 48, 3)
    # The flag turns the picture clockwise: the blue corner goes from top left to top right.
    assert first[10, -10, 2] > 150
    assert first[10, 10, 2] < 50


def test_film_cut_in_the_middle_gives_what_is_readable(make_video):
    path = make_video(n_frames=100, size=(240, 320), tone_rate=16000)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 6 // 10])
    with pytest.warns(MediaWarning, match=r"film\.mp4"):
        n = sum(1 for _ in iterate_frames(path))
    assert 5 < n < 95


def test_whole_film_gives_no_warning(make_video):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(read_indices(make_video(tone_rate=48000))) == 50


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "does not exist"), (b"", "zero bytes"), (b"hello " * 400, "not a readable video|picture or a text")],
)
@pytest.mark.parametrize("name", ["x.mp4", "x.txt"])
def test_unusable_files(tmp_path, content, message, name):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    for read in (probe_video, lambda p: next(iterate_frames(p))):
        with pytest.raises(MediaError, match=message) as caught:
            read(path)
        assert name in caught.value.what


def test_folder_sound_and_header_alone(tmp_path, make_video):
    with pytest.raises(MediaError, match="folder"):
        probe_video(tmp_path)
    path = make_video("cut.mkv")
    path.write_bytes(path.read_bytes()[:700])
    with pytest.raises(MediaError):
        next(iterate_frames(path))


@pytest.mark.real
def test_real_clips(media_dir):
    for path in sorted((media_dir / "video").glob("*.mpg"))[:2]:
        info = probe_video(path)
        frames = list(iterate_frames(path))
        assert abs(len(frames) - 75) <= 1
        assert frames[0].shape == (info.height, info.width, 3)
    info = probe_video(media_dir / "video/french_50s_512_30fps.mp4")
    assert info.fps == pytest.approx(30, abs=0.1)


def test_a_time_stamp_that_jumps_by_hours_does_not_hold_the_picture(make_video):
    pts = [*range(20), *range(90_000, 90_020)]
    with pytest.warns(MediaWarning, match="1 time stamps jump"):
        indices = read_indices(make_video("jump.mkv", n_frames=40, pts=pts))
    assert indices == list(range(40))


def test_a_picture_larger_than_memory_is_refused(make_video, monkeypatch):
    monkeypatch.setattr("locutor.media.video._MAX_PIXELS", 1000)
    with pytest.raises(MediaError, match="64 x 48 px"):
        next(iterate_frames(make_video()))


def test_grey_film(tmp_path):
    path = tmp_path / "grey.mkv"
    with av.open(str(path), "w") as out:
        video = out.add_stream("ffv1", rate=25)
        video.height, video.width, video.pix_fmt = 48, 64, "gray"
        for k in range(30):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64), 16 + 4 * k, np.uint8), "gray")
            out.mux(video.encode(frame))
        out.mux(video.encode(None))
    frames = list(iterate_frames(path))
    assert len(frames) == 30
    assert frames[10].shape == (48, 64, 3)
    assert np.abs(frames[10].astype(int) - 56).max() <= 1


@pytest.mark.parametrize("seed", range(12))
def test_mutated_films_are_read_or_refused(make_video, seed):
    """A small part of `make torture`."""
    path = make_video(tone_rate=16000)
    mutated = path.with_name("mutated.mp4")
    mutated.write_bytes(mutated_bytes([path.read_bytes()], np.random.default_rng([77, seed])))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MediaWarning)
        with contextlib.suppress(MediaError):  # anything else is a failure
            assert sum(1 for _ in iterate_frames(mutated)) < 1000

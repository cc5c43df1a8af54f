"""Films as they come, through the whole capture: taken as they are, or told what is wrong with them."""

from collections.abc import Iterator
from fractions import Fraction
from importlib import resources
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from locutor.capture.config import CaptureConfig
from locutor.capture.film import capture_film
from locutor.capture.image_store import ImageStore
from locutor.capture.performance import Performance, upscale_matte
from locutor.core.errors import FootageError, MediaError
from locutor.core.events import Warned
from locutor.media.opening import MediaWarning
from locutor.media.video import iterate_frames

pytestmark = [pytest.mark.real, pytest.mark.usefixtures("models_dir")]

N, SIZE = 75, 192
SMALL = CaptureConfig(size=128)


@pytest.fixture(scope="module")
def pictures() -> list[np.ndarray]:
    """Three seconds of the embedded performer, small."""
    with resources.as_file(resources.files("locutor.actors") / "embedded") as folder:
        frames = iterate_frames(folder / "video.mp4", end_s=N / 25)
        return [cv2.resize(rgb, (SIZE, SIZE), interpolation=cv2.INTER_AREA) for rgb in frames]


def film_of(
    path: Path, pictures: Iterator[np.ndarray] | list[np.ndarray], rate: int = 25, pts: list[int] | None = None,
    pix_fmt: str = "yuv420p", codec: str = "libx264",
) -> Path:  # fmt: skip
    """A silent film; `pts` are time stamps in units of 1 / rate."""
    with av.open(str(path), "w", options={"movflags": "+faststart"} if path.suffix == ".mp4" else {}) as out:
        video = out.add_stream(codec, rate=Fraction(rate))
        video.pix_fmt, video.bit_rate = pix_fmt, 3_000_000
        video.time_base = video.codec_context.time_base = Fraction(1, rate)
        for k, rgb in enumerate(pictures):
            if k == 0:
                video.height, video.width = rgb.shape[:2]
            frame = av.VideoFrame.from_ndarray(rgb, "rgb24")
            frame.pts, frame.time_base = (pts[k] if pts else k), Fraction(1, rate)
            out.mux(video.encode(frame))
        out.mux(video.encode(None))
    return path


def captured(film: Path, config: CaptureConfig = SMALL) -> tuple[Performance, list[str]]:
    """The performance and what was said of the film; nothing else may lie beside it."""
    out = film.with_name("out")
    messages = [event.message for event in capture_film(film, out, config) if isinstance(event, Warned)]
    assert {path.name for path in film.parent.iterdir()} == {film.name, "out"}
    return Performance(out), messages


def test_an_empty_file(tmp_path):
    film = tmp_path / "empty.mp4"
    film.touch()
    with pytest.raises(MediaError, match=r"empty\.mp4 is empty"):
        list(capture_film(film, tmp_path / "out", SMALL))
    assert list(tmp_path.iterdir()) == [film]


def test_a_film_that_was_cut_off(pictures, tmp_path):
    """What is left of a copy that broke off is used, with a warning."""
    film = film_of(tmp_path / "cut_off.mp4", pictures + pictures[::-1][:45])
    data = film.read_bytes()
    film.write_bytes(data[: len(data) * 8 // 10])
    with pytest.warns(MediaWarning, match=r"cut_off\.mp4"):
        performance, _ = captured(film)
    assert 2.8 * 25 <= len(performance) < 120


def test_a_film_that_was_cut_off_too_early(pictures, tmp_path):
    film = film_of(tmp_path / "cut_off.mp4", pictures)
    data = film.read_bytes()
    film.write_bytes(data[: len(data) // 2])
    with pytest.warns(MediaWarning), pytest.raises(FootageError, match=r"cut_off\.mp4 is only 1\.\d s long"):
        list(capture_film(film, tmp_path / "out", SMALL))
    assert list(tmp_path.iterdir()) == [film]


def test_a_film_that_is_damaged_in_the_middle(pictures, tmp_path):
    film = film_of(tmp_path / "damaged.mp4", pictures)
    data = bytearray(film.read_bytes())
    middle = slice(len(data) * 5 // 10, len(data) * 6 // 10)
    data[middle] = np.random.default_rng(0).bytes(middle.stop - middle.start)
    film.write_bytes(data)
    with pytest.warns(MediaWarning, match=r"damaged\.mp4"):
        performance, _ = captured(film)
    assert len(performance) == N


def test_a_variable_frame_rate(pictures, tmp_path):
    """A telephone that drops pictures as the light goes: 30 per second, then 15, then with holes."""
    pts = [*range(30), *range(30, 60, 2), 60, 63, 64, 69, *range(70, 90, 3)]
    film = film_of(tmp_path / "uneven.mp4", [pictures[k * 25 // 30] for k in pts], rate=30, pts=pts)
    performance, _ = captured(film)
    assert abs(len(performance) - N) <= 1
    for k, stamp in ((10, 12), (30, 36), (60, 72)):  # frame k shows the picture of its time, nearest stamp
        nearest = min(pts, key=lambda p: abs(p - stamp))
        shown = cv2.resize(performance.frames.rgb(k), (SIZE, SIZE)).astype(int)
        differences = [np.abs(shown - picture).mean() for picture in pictures]
        assert differences[nearest * 25 // 30] < min(differences) + 1.0


def test_a_telephone_held_upright(pictures, tmp_path):
    """The pictures lie on their side in the file, the header says how to turn them."""
    from tests.media.test_video import rotate_flag

    film = film_of(tmp_path / "phone.mp4", [np.rot90(rgb) for rgb in pictures])
    rotate_flag(film)
    performance, _ = captured(film)
    shown, true = performance.frames.grey(0), cv2.cvtColor(pictures[0], cv2.COLOR_RGB2GRAY)
    framing = performance.meta.framing
    assert framing.side <= SIZE + 8
    eyes = performance.tracking.landmarks[:, [33, 263], :2].mean(axis=0)
    assert abs(eyes[1, 1] - eyes[0, 1]) < 0.2 * (eyes[1, 0] - eyes[0, 0])
    if (framing.left, framing.top, framing.side) == (0, 0, SIZE):
        same = cv2.resize(true, shown.shape[::-1], interpolation=cv2.INTER_AREA)
        assert np.corrcoef(shown.ravel(), same.ravel())[0, 1] > 0.98


def test_a_face_in_4k(pictures, tmp_path):
    """A face of 500 px in a picture of 3840 x 2160: cut out, and the place of the cut kept."""

    def large(rgb: np.ndarray) -> np.ndarray:
        picture = np.full((2160, 3840, 3), 110, np.uint8)
        picture[800:1800, 2400:3400] = cv2.resize(rgb, (1000, 1000))
        return picture

    film = film_of(tmp_path / "large.mp4", (large(rgb) for rgb in pictures[::5]), rate=5)
    performance, _ = captured(film)
    framing = performance.meta.framing
    assert 2100 < framing.left + framing.side / 2 - 400 < 2900
    assert framing.side < 1800
    assert len(performance) == N


def test_a_grey_film(pictures, tmp_path):
    film = film_of(tmp_path / "grey.mkv", pictures, pix_fmt="gray", codec="ffv1")
    performance, _ = captured(film)
    rgb = performance.frames.rgb(N // 2).astype(int)
    assert np.ptp(rgb, axis=2).max() <= 4
    assert performance.tracking.motion.valid.all()


def test_a_face_that_is_lost_for_three_seconds(pictures, tmp_path):
    """Something is held before the face: filled in, marked, told, and not learnt from."""
    shown = pictures[::5]
    shown = ([*shown, *shown[::-1]] * 3)[:78]  # 15.6 s at 5 pictures per second: less would be lost in a fifth of it

    def covered(rgb: np.ndarray) -> np.ndarray:
        rgb = rgb.copy()
        rgb[SIZE // 8 : SIZE * 3 // 4, SIZE // 4 : SIZE * 3 // 4] = 128
        return rgb

    film = film_of(tmp_path / "hidden.mp4", [covered(p) if 40 <= k < 55 else p for k, p in enumerate(shown)], rate=5)
    performance, messages = captured(film)
    assert any("the longest gap is 3.0 s at 7.9 s" in message for message in messages)
    valid = performance.tracking.motion.valid
    assert not valid[200:272].any()
    assert valid[:196].all()
    assert valid[276:].all()
    for name, channel in performance.tracking.motion.channels().items():
        assert np.isfinite(channel).all(), name


def test_a_camera_that_moves(pictures, tmp_path):
    """Told, and the background kept as it changes."""
    with resources.as_file(resources.files("locutor.actors") / "embedded") as folder:
        mattes = [upscale_matte(ImageStore(folder / "mattes.images").grey(k), SIZE) for k in range(N)]
    noise = np.random.default_rng(0).integers(0, 255, (SIZE, SIZE + 40, 3)).astype(np.uint8)
    wall = cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 2), None, 40, 220, cv2.NORM_MINMAX)

    def before_the_wall(k: int) -> np.ndarray:
        left = round(20 + 12 * np.sin(k / 9))
        share = mattes[k][..., None] / 255
        return (share * pictures[k] + (1 - share) * wall[:, left : left + SIZE]).astype(np.uint8)

    film = film_of(tmp_path / "hand.mp4", [before_the_wall(k) for k in range(N)])
    performance, messages = captured(film, CaptureConfig(size=SIZE))
    assert any("the camera moves" in message for message in messages)
    assert not performance.background_is_still

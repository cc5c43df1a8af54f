import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from tests.synthetic.performer import CAMERA, N_FRAMES, SIZE, draw, plate, take, true_sound, true_tracking

from locutor.capture.image_store import ImageStoreWriter
from locutor.capture.performance import (
    FRAMES,
    MATTES,
    META,
    PLATE,
    SUBPIXEL,
    TRACKING,
    VERSION,
    Performance,
    PerformanceMeta,
    Tracking,
)
from locutor.core.clock import SAMPLES_PER_FRAME
from locutor.core.errors import FormatError


@pytest.fixture
def copy(performance: Performance, tmp_path):
    return shutil.copytree(performance.folder, tmp_path / "copy")


def test_reads_what_was_written(performance: Performance):
    assert len(performance) == N_FRAMES == len(performance.frames)
    assert performance.camera == CAMERA
    assert performance.n_train == 100
    np.testing.assert_array_equal(performance.plate, plate())
    rgb, matte = draw(take(), true_tracking(take()).motion, 30)
    assert np.abs(performance.frames.rgb(30).astype(float) - rgb).mean() < 1.5
    np.testing.assert_array_equal(performance.matte(30), matte)


def test_sound_lies_under_the_frames(performance: Performance):
    sound = performance.sound
    assert len(sound) == N_FRAMES * SAMPLES_PER_FRAME
    np.testing.assert_allclose(sound, true_sound(take()), atol=2 / 32768)


def test_without_sound(copy):
    meta = PerformanceMeta.load(copy / META)
    replace(meta, has_sound=False).save(copy / META)
    (copy / "sound.flac").unlink()
    assert Performance(copy).sound.shape == (0,)


def test_landmarks_to_a_fraction_of_a_pixel_and_the_rest_exactly(tmp_path):
    tracking = true_tracking(take(20))
    tracking.save(tmp_path / TRACKING)
    loaded = Tracking.load(tmp_path / TRACKING)
    error = np.abs(loaded.landmarks - tracking.landmarks)
    assert 0.3 / SUBPIXEL < error.max() <= 0.5 / SUBPIXEL + 1e-6
    for name, channel in tracking.motion.channels().items():
        read = loaded.motion.channels()[name]
        assert read.dtype == channel.dtype
        np.testing.assert_array_equal(read, channel)
    for name in ("neutral", "reference_wxyz", "reference_xyz", "reference_frame"):
        np.testing.assert_array_equal(getattr(loaded, name), getattr(tracking, name))


def test_large_frames_keep_their_landmarks(tmp_path):
    tracking = true_tracking(take(5))
    far = replace(tracking, landmarks=tracking.landmarks + np.float32([3000, -1200, 0]))
    far.save(tmp_path / TRACKING)
    np.testing.assert_allclose(Tracking.load(tmp_path / TRACKING).landmarks, far.landmarks, atol=0.5 / SUBPIXEL + 1e-3)


def test_damaged_tracking_is_refused(copy):
    data = (copy / TRACKING).read_bytes()
    rng = np.random.default_rng(0)
    n_found = 0
    for place in [*rng.integers(0, len(data), 40).tolist(), *range(len(data) - 60, len(data))]:
        damaged = bytearray(data)
        damaged[place] ^= int(rng.integers(1, 255))
        (copy / TRACKING).write_bytes(bytes(damaged))
        try:
            Performance(copy)
        except FormatError:
            n_found += 1
    assert n_found > 40
    (copy / TRACKING).write_bytes(data[: len(data) // 2])
    with pytest.raises(FormatError, match=TRACKING):
        Performance(copy)


def test_tracking_of_an_older_version_is_refused(copy):
    with np.load(copy / TRACKING) as data:
        arrays = {k: data[k] for k in data.files if k != "landmark_steps"}
    np.savez_compressed(copy / TRACKING, **arrays)
    with pytest.raises(FormatError, match="another version"):
        Performance(copy)


def test_absent_channels_stay_absent(tmp_path):
    tracking = true_tracking(take(5))
    replace(tracking, motion=tracking.motion.with_channels(blendshapes=None)).save(tmp_path / TRACKING)
    assert Tracking.load(tmp_path / TRACKING).motion.blendshapes is None


def test_meta_round_trip(performance: Performance, tmp_path):
    performance.meta.save(tmp_path / META)
    assert PerformanceMeta.load(tmp_path / META) == performance.meta


def test_another_version_is_refused_and_named(copy):
    record = json.loads((copy / META).read_text())
    (copy / META).write_text(json.dumps(record | {"version": VERSION + 6}))
    with pytest.raises(FormatError, match=rf"version {VERSION + 6}, this program reads {VERSION}"):
        Performance(copy)


def test_a_folder_that_is_no_performance(tmp_path):
    with pytest.raises(FormatError, match="is not a performance folder"):
        Performance(tmp_path)
    with pytest.raises(FormatError, match="is not a performance folder"):
        Performance(tmp_path / "nowhere")


@pytest.mark.parametrize("name", [TRACKING, FRAMES, MATTES, PLATE])
def test_a_missing_part_is_named(copy, name):
    (copy / name).unlink()
    with pytest.raises(FormatError, match=name):
        Performance(copy)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": 1}', '{"version": 1, "framing": 3}'])
def test_a_damaged_page_is_refused(copy, text):
    (copy / META).write_text(text)
    with pytest.raises(FormatError, match=META):
        Performance(copy)


def test_mattes_come_at_the_size_of_the_frames(performance: Performance):
    assert performance.matte(0).shape == (SIZE, SIZE)


def test_the_background_is_the_plate_unless_it_changes(performance, tmp_path):
    np.testing.assert_array_equal(performance.background(7), performance.plate)
    folder = tmp_path / "changing"
    shutil.copytree(performance.folder, folder)
    size = performance.camera.width
    with ImageStoreWriter(folder / "backgrounds.images", lossless=True) as writer:
        for level in (100, 150, 200):
            writer.append(np.full((size, size, 3), level, np.uint8))
    changing = Performance(folder)
    assert not changing.background_is_still
    assert [int(changing.background(k)[0, 0, 0]) for k in (0, 10, 25, 49, 50, 70)] == [100, 120, 150, 198, 200, 200]

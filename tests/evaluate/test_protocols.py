import numpy as np

from locutor.avatar.avatar import Avatar
from locutor.capture.performance import Performance
from locutor.core.clock import SAMPLES_PER_FRAME
from locutor.core.face import MOUTH_SLICE
from locutor.evaluate.protocols import (
    Protocol,
    held_out,
    laid_over,
    mean_frame,
    read_clip,
    replayed,
    static_head,
    truth_frames,
    with_mouth,
    write_clip,
)
from locutor.media.audio import read_audio

SIZE_PX = (128, 128)


def test_the_held_out_part_is_the_last_eleventh(performance: Performance):
    part = held_out(performance)
    assert (part.start, part.end) == (100, 110)
    assert len(part.motion) == len(part.frames) == 10
    assert len(part.sound) == 10 * SAMPLES_PER_FRAME
    np.testing.assert_array_equal(part.motion.face, performance.tracking.motion.face[100:])
    np.testing.assert_array_equal(part.sound, performance.sound[100 * SAMPLES_PER_FRAME :])


def test_truth_is_the_footage(performance: Performance):
    frames = list(truth_frames(performance, held_out(performance)))
    np.testing.assert_array_equal(frames[3], performance.frames.rgb(103))


def test_replay_draws_each_frame_of_motion(performance: Performance, speaking_avatar: Avatar):
    part = held_out(performance)
    frames = list(replayed(speaking_avatar, part.motion))
    assert len(frames) == 10
    np.testing.assert_array_equal(frames[7], speaking_avatar.render(part.motion[7:8]))


def test_another_mouth_leaves_the_rest(performance: Performance):
    motion = held_out(performance).motion
    mouth = np.full((10, 58, 2), 0.5, np.float32)
    mixed = with_mouth(motion, mouth)
    np.testing.assert_array_equal(mixed.face[:, MOUTH_SLICE], mouth)
    np.testing.assert_array_equal(mixed.face[:, MOUTH_SLICE.stop :], motion.face[:, MOUTH_SLICE.stop :])
    np.testing.assert_array_equal(mixed.head_xyz, motion.head_xyz)
    assert np.abs(motion.face).max() < 0.5  # the original was not written into


def test_the_static_head_does_not_move(performance: Performance, speaking_avatar: Avatar):
    still = static_head(speaking_avatar, held_out(performance).motion)
    for name in ("face", "head_wxyz", "head_xyz"):
        channel = still.channels()[name]
        np.testing.assert_array_equal(channel, np.broadcast_to(channel[:1], channel.shape))
    assert len(still) == 10
    assert np.abs(speaking_avatar.controls._raw(still)).max() < 1e-5


def test_the_mean_frame_is_the_mean_of_training_frames(performance: Performance):
    chosen = [performance.frames.rgb(k).astype(float) for k in range(0, performance.n_train, 10)]
    assert np.abs(mean_frame(performance, every=10) - np.mean(chosen, axis=0)).max() <= 0.5 + 1e-9


def test_a_clip_comes_back_with_its_sound(performance: Performance, tmp_path):
    part = held_out(performance)
    write_clip(
        tmp_path / "clip.mp4",
        truth_frames(performance, part),
        part.sound,
        SIZE_PX,
    )
    frames = list(read_clip(tmp_path / "clip.mp4"))
    assert len(frames) == 10
    for k, frame in zip(part.frames, frames, strict=True):
        assert np.abs(frame.astype(float) - performance.frames.rgb(k)).mean() < 6
    sound = read_audio(tmp_path / "clip.mp4")
    assert abs(len(sound) - len(part.sound)) < 2048
    assert np.corrcoef(sound[1000:6000], part.sound[1000:6000])[0, 1] > 0.9


def test_a_clip_without_sound(performance: Performance, tmp_path):
    part = held_out(performance)
    write_clip(
        tmp_path / "clip.mp4",
        truth_frames(performance, part),
        part.sound[:0],
        SIZE_PX,
    )
    assert len(list(read_clip(tmp_path / "clip.mp4"))) == 10


def test_every_line_says_what_it_is():
    assert {line.kind for line in Protocol} == {"protocol", "chance", "ceiling"}
    assert Protocol("voice, true torso") is Protocol.TRUE_TORSO
    assert all(line.meaning and line.meaning[-1] != "." for line in Protocol)
    assert [line for line in Protocol if not line.is_aligned] == [
        Protocol.FREE,
        Protocol.CROSS,
        Protocol.CROSS_SHUFFLED,
    ]


def test_a_pasted_face_changes_nothing_outside_its_mask():
    truth, rendered = np.full((64, 64, 3), 50, np.uint8), np.full((64, 64, 3), 200, np.uint8)
    where = np.zeros((64, 64), bool)
    where[16:48, 16:48] = True
    pasted = laid_over(rendered, truth, where)
    assert (pasted[~where] == 50).all()
    assert (pasted[24:40, 24:40] == 200).all()
    seam = pasted[32, 14:26, 0].astype(int)
    assert (np.diff(seam) >= 0).all()
    assert len(set(seam)) > 3  # it fades

"""One face on one clock: what is fed in pieces equals the file, and what is interrupted is silent."""

import numpy as np
import pytest
import soxr

from locutor.avatar.avatar import Avatar
from locutor.core.clock import SAMPLE_RATE, SAMPLES_PER_FRAME
from locutor.core.face import MOUTH_SLICE
from locutor.drive.voice import lip_gap
from locutor.live.live_avatar import LiveAvatar
from locutor.live.sound_line import KEPT_RATE, SoundError
from locutor.live.timeline import AHEAD, CLOSING, MARGIN, LiveFrame, Timeline

CHUNK = 320  # 20 ms


@pytest.fixture(scope="module")
def live(speaking_avatar: Avatar) -> LiveAvatar:
    return LiveAvatar(speaking_avatar)


@pytest.fixture(scope="module")
def sound(performance) -> np.ndarray:
    """Not the footage's own: windows that the voice model holds have no distance to themselves but rounding."""
    return performance.sound[2 * SAMPLE_RATE :: -1][: 2 * SAMPLE_RATE].copy()


def shown(timeline: Timeline) -> tuple[LiveFrame, np.ndarray]:
    """The next frame and the face behind it."""
    frame = timeline.next_frame()
    return frame, timeline._shown_face


def run(timeline: Timeline, n_frames: int) -> list[LiveFrame]:
    return [timeline.next_frame() for _ in range(n_frames)]


def test_the_look_ahead_is_that_of_the_driver(live):
    assert live.look_ahead == 1800


@pytest.mark.parametrize("late", [0, 3])
def test_chunks_of_20_ms_equal_the_file(live, sound, late):
    """Also when every fourth chunk comes up to 20 ms late."""
    timeline, faces, frames, at = Timeline(live, seed=4), [], [], 0
    while len(frames) < 75:
        now = len(frames) * SAMPLES_PER_FRAME - (CHUNK if late and len(frames) % 4 == 3 else 0)
        while at < min(now, len(sound)):
            timeline.push(sound[at : at + CHUNK], SAMPLE_RATE)
            at += CHUNK
        frame, face = shown(timeline)
        frames.append(frame)
        faces.append(face)
    first = next(k for k, frame in enumerate(frames) if frame.speaking)
    lead = int(np.flatnonzero(frames[first].sound)[0]) * 2 // 3  # samples into its frame at which the sound begins
    assert 0 <= lead < SAMPLES_PER_FRAME
    if not late:
        assert first * SAMPLES_PER_FRAME + lead == live.look_ahead + MARGIN  # as soon as it can
    whole = live.driver.whole(np.concatenate([np.zeros(lead, np.float32), sound]), seed=4)
    np.testing.assert_allclose(
        np.stack(faces[first : first + len(whole)])[:, MOUTH_SLICE], whole.face[:, MOUTH_SLICE], atol=1e-5
    )
    idle = live.driver.rest(live.driver.init(4), 75)[1]
    np.testing.assert_allclose(np.stack(faces)[:, MOUTH_SLICE.stop :], idle.face[:, MOUTH_SLICE.stop :], atol=1e-5)
    poses = np.stack([frame.row[-14:-7] for frame in frames])
    np.testing.assert_allclose(poses, np.concatenate([idle.head_wxyz, idle.head_xyz], 1), atol=1e-5)
    assert first <= 5


def test_a_whole_file_at_once_begins_with_the_next_frame(live, sound):
    timeline = Timeline(live, seed=4)
    run(timeline, 7)
    timeline.push(sound, SAMPLE_RATE)
    faces, frames = [], []
    for _ in range(50):
        frame, face = shown(timeline)
        frames.append(frame)
        faces.append(face)
    assert frames[0].speaking
    assert frames[0].frame == 7
    whole = live.driver.whole(sound)
    np.testing.assert_allclose(np.stack(faces)[:, MOUTH_SLICE], whole.face[:, MOUTH_SLICE], atol=1e-5)


def test_the_listener_gets_what_was_pushed_with_its_frames(live, sound):
    kept = soxr.resample(sound, SAMPLE_RATE, KEPT_RATE)
    timeline = Timeline(live)
    timeline.push(kept, KEPT_RATE)
    timeline.end()
    heard = np.concatenate([frame.sound for frame in run(timeline, 55)])
    np.testing.assert_allclose(heard[: len(kept)], kept, atol=2e-5)  # 16 bit
    assert np.abs(heard[len(kept) :]).max() < 1e-3


def test_late_sound_becomes_a_gap_and_nothing_is_lost(live):
    ramp = np.linspace(-0.5, 0.5, SAMPLE_RATE, dtype=np.float32)
    timeline = Timeline(live)
    timeline.push(ramp[:8000], SAMPLE_RATE)
    frames = run(timeline, 20)
    timeline.push(ramp[8000:], SAMPLE_RATE)
    timeline.end()
    frames += run(timeline, 20)
    assert sum(frame.speaking for frame in frames) in (26, 27)  # 25, and the two halves on both sides of the gap
    heard = np.concatenate([frame.sound for frame in frames])
    once = timeline_sound(live, ramp)
    np.testing.assert_allclose(heard[np.abs(heard) > 0.02].sum(), once[np.abs(once) > 0.02].sum(), atol=1.0)


def timeline_sound(live: LiveAvatar, samples: np.ndarray) -> np.ndarray:
    timeline = Timeline(live)
    timeline.push(samples, SAMPLE_RATE)
    timeline.end()
    return np.concatenate([frame.sound for frame in run(timeline, 30)])


def test_an_interruption_silences_at_once_and_closes_the_mouth(live, sound):
    timeline = Timeline(live, seed=4)
    timeline.push(sound, SAMPLE_RATE)
    closed = live.avatar.voice["closed_mouth"]
    for _ in range(50):
        frame, face = shown(timeline)
        if lip_gap(face[MOUTH_SLICE]) - lip_gap(closed) > 0.05:
            break
    assert lip_gap(face[MOUTH_SLICE]) - lip_gap(closed) > 0.05
    timeline.interrupt()
    after = [shown(timeline) for _ in range(30)]
    assert [frame.epoch for frame, _ in after] == [1] * 30
    assert not any(frame.speaking or frame.sound.any() for frame, _ in after)
    mouths = np.stack([face[MOUTH_SLICE] for _, face in after])
    np.testing.assert_allclose(mouths[len(CLOSING) - 1 :], np.broadcast_to(closed, mouths[1:].shape), atol=1e-6)
    idle = live.driver.rest(live.driver.init(4), frame.frame + 31)[1]
    np.testing.assert_allclose(after[-1][1][MOUTH_SLICE.stop :], idle.face[-1, MOUTH_SLICE.stop :], atol=1e-5)
    assert timeline.queued_s == 0


def test_what_is_said_after_an_interruption_is_spoken_at_once(live, sound):
    """As the driver speaks it that was restarted behind the sound of the frames that were given."""
    timeline, before = Timeline(live), sound[::-1].copy()
    timeline.push(before, SAMPLE_RATE)
    run(timeline, 11)
    timeline.interrupt()
    timeline.push(sound, SAMPLE_RATE)
    after = [shown(timeline) for _ in range(50)]
    assert all(frame.speaking for frame, _ in after)
    mouths = np.stack([face[MOUTH_SLICE] for _, face in after])
    heard, _ = live.driver.step(live.driver.init(), before[: live.look_ahead + 10 * SAMPLES_PER_FRAME])
    state, motion = live.driver.step(live.driver.restart(heard), sound)
    whole = np.concatenate([motion.face, live.driver.finish(state).face])[:, MOUTH_SLICE]
    np.testing.assert_allclose(mouths[len(CLOSING) :], whole[len(CLOSING) :], atol=1e-5)


def test_it_rests_again_and_wakes_again(live, sound):
    timeline = Timeline(live)
    for _ in range(3):
        timeline.push(sound[:8000], SAMPLE_RATE)
        timeline.end()
        frames = run(timeline, 70)
        assert sum(frame.speaking for frame in frames) == 13
        assert timeline._resting


def test_a_lag_is_caught_up_in_the_quiet_and_lips_stay_with_the_sound(live, sound):
    """Pieces of 20 ms, half a second of them late once; a pause follows."""
    words = np.concatenate([sound[:16000], np.zeros(48000, np.float32), sound[:16000]])
    timeline, frames, faces, at = Timeline(live, seed=4), [], [], 0
    while len(frames) < 170:
        now = len(frames) * SAMPLES_PER_FRAME
        while at < min(0 if 10 <= len(frames) < 20 else now, len(words)):
            timeline.push(words[at : at + CHUNK], SAMPLE_RATE)
            at += CHUNK
        frame, face = shown(timeline)
        frames.append(frame)
        faces.append(face)
        if len(frames) == 40:
            assert timeline.queued_s > 0.4
    heard = np.concatenate([frame.sound for frame in frames])
    last = np.flatnonzero(np.abs(heard) > 0.02)[-1] / KEPT_RATE
    assert last < 5.0 + 0.25  # half a second more without catching up
    again = live.driver.whole(soxr.resample(heard, KEPT_RATE, SAMPLE_RATE), seed=4).face[:, MOUTH_SLICE]
    opening, truth = lip_gap(np.stack(faces)[:, MOUTH_SLICE]), lip_gap(again)
    match = [np.corrcoef(np.roll(opening, lag)[30:], truth[30:170])[0, 1] for lag in range(-3, 4)]
    assert int(np.argmax(match)) == 3
    assert max(match) > 0.97


def test_spoken_seconds(live, sound):
    timeline = Timeline(live)
    run(timeline, 3)
    timeline.push(sound, SAMPLE_RATE)
    frames = run(timeline, 20)
    assert timeline.spoken_s(0, frames[0].sample) == 0
    assert timeline.spoken_s(0, frames[10].sample + 320) == pytest.approx(0.42)
    assert timeline.spoken_s(0, 10**9) == pytest.approx(0.8)
    timeline.interrupt()
    run(timeline, 5)
    assert timeline.spoken_s(0, frames[10].sample) == pytest.approx(0.4)
    assert timeline.spoken_s(1, 10**9) == 0


def test_expression_and_head_can_be_held(live):
    plain, held = Timeline(live, seed=1), Timeline(live, seed=1)
    held.adjust(np.array([1.5], np.float32), np.array([0, 0.3, 0], np.float32))
    before, after = plain.next_frame().row, held.next_frame().row
    assert abs(after[0] - before[0]) > 0.05
    np.testing.assert_allclose(after[-7:], before[-7:], atol=1e-6)
    cosine = abs(float(after[-14:-10] @ before[-14:-10]))
    assert 2 * np.arccos(cosine) == pytest.approx(0.3, abs=1e-3)
    held.adjust(np.zeros(0, np.float32), np.zeros(3, np.float32))
    np.testing.assert_allclose(held.next_frame().row, plain.next_frame().row, atol=1e-6)


def test_there_is_an_end_to_what_may_wait(live):
    timeline = Timeline(live, queue_s=1.0)
    timeline.push(np.zeros(SAMPLE_RATE, np.float32), SAMPLE_RATE)
    with pytest.raises(SoundError, match="more than 1 s"):
        timeline.push(np.zeros(1, np.float32), SAMPLE_RATE)
    with pytest.raises(SoundError, match="per second"):
        timeline.push(np.zeros(1, np.float32), 7)


def test_sound_that_is_not_finite_is_silent(live):
    timeline = Timeline(live)
    timeline.push(np.full(8000, np.nan, np.float32), SAMPLE_RATE)
    timeline.end()
    frames = run(timeline, 20)
    assert all(np.isfinite(frame.row).all() and not frame.sound.any() for frame in frames)


def test_blocks_made_before_they_are_due_are_the_same(live, sound):
    plain, prepared = Timeline(live, seed=4), Timeline(live, seed=4)
    for timeline in (plain, prepared):
        timeline.push(np.tile(sound, 3), SAMPLE_RATE)
    assert not prepared.can_prepare  # nothing is being given yet
    n_early = 0
    for _ in range(160):
        frame, face = shown(plain)
        again, same_face = shown(prepared)
        np.testing.assert_array_equal(again.pcm, frame.pcm)
        np.testing.assert_allclose(same_face, face, atol=1e-5)
        np.testing.assert_allclose(again.row, frame.row, atol=1e-5)
        if prepared.can_prepare:
            last = prepared.lasts_until
            prepared.prepare()
            n_early += 1
            assert prepared.lasts_until == last + AHEAD
            assert not prepared.can_prepare
            prepared.prepare()  # nothing more
            assert prepared.lasts_until == last + AHEAD
    assert n_early >= 4


def test_an_interruption_forgets_what_was_made_early(live, sound):
    plain, prepared = Timeline(live, seed=4), Timeline(live, seed=4)
    frames = []
    for timeline in (plain, prepared):
        timeline.push(np.tile(sound, 2), SAMPLE_RATE)
        run(timeline, 12)
        timeline.prepare() if timeline is prepared else None
        run(timeline, 3)
        timeline.adjust(np.array([1.5], np.float32), np.zeros(3, np.float32))
        timeline.interrupt()
        assert timeline.queued_s == 0
        timeline.push(sound, SAMPLE_RATE)
        frames.append([shown(timeline) for _ in range(45)])
    for (frame, face), (again, same_face) in zip(*frames, strict=True):
        np.testing.assert_array_equal(again.pcm, frame.pcm)
        np.testing.assert_allclose(same_face, face, atol=1e-5)
        np.testing.assert_allclose(again.row, frame.row, atol=1e-5)


def test_live_sound_is_never_prepared(live, sound):
    """Pieces of 20 ms: what would be made early would have to be made again."""
    timeline = Timeline(live)
    for at in range(0, len(sound) - 2 * CHUNK, 2 * CHUNK):
        timeline.push(sound[at : at + 2 * CHUNK], SAMPLE_RATE)
        timeline.next_frame()
        assert not timeline.can_prepare

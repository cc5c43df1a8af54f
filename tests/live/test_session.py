"""Sessions on a clock that the test turns."""

import asyncio
from collections.abc import Awaitable, Callable

import numpy as np
import pytest

from locutor.avatar.avatar import Avatar
from locutor.core.clock import SAMPLE_RATE
from locutor.live.clock import VirtualClock
from locutor.live.live_avatar import LiveAvatar
from locutor.live.session import Session, sentences
from locutor.live.timeline import LiveFrame
from locutor.live.viewer import Change, Failure, Item, Viewer
from locutor.speech.phonemes import Phoneme, Speech, SpeechError


@pytest.fixture(scope="module")
def live(speaking_avatar: Avatar) -> LiveAvatar:
    return LiveAvatar(speaking_avatar)


def buzz(text: str, voice: str) -> Speech:
    """A tenth of a second for each letter."""
    if voice == "none":
        raise SpeechError("there is no voice none", "take another")
    n = 1600 * len(text)
    tone = 0.3 * np.sign(np.sin(2 * np.pi * 130 * np.arange(n) / SAMPLE_RATE))
    return Speech(tone.astype(np.float32), SAMPLE_RATE, (Phoneme("a", 0.0),))


def played(scene: Callable[[Session, VirtualClock], Awaitable[None]], live: LiveAvatar, **options) -> None:
    async def play() -> None:
        clock = VirtualClock()
        async with Session(live, seed=1, clock=clock, speak=buzz, **options) as session:
            await scene(session, clock)

    asyncio.run(play())


async def threads(clock: VirtualClock, until: Callable[[], bool]) -> None:
    """Let synthesis, which runs in real threads, come to its end."""
    for _ in range(500):
        await clock.advance(0)
        if until():
            return
        await asyncio.sleep(0.002)
    raise AssertionError("never happened")


def waiting(viewer: Viewer) -> list[Item]:
    items = list(viewer._items)
    viewer._items.clear()
    viewer._n_frames = 0
    return items


def frames_of(items: list[Item]) -> list[LiveFrame]:
    return [item for item in items if isinstance(item, LiveFrame)]


def changes_of(items: list[Item]) -> list[str]:
    return [item.why for item in items if isinstance(item, Change)]


def test_25_frames_a_second_for_ever(live):
    async def scene(session: Session, clock: VirtualClock) -> None:
        viewer = session.watch(30)
        for second in range(4):
            await clock.advance(1)
            frames = frames_of(waiting(viewer))
            assert len(frames) == 25 + (second == 0)
            assert [f.sample % 640 for f in frames] == [0] * len(frames)
        assert session.frame == 101

    played(scene, live)


def test_a_text_is_spoken_and_told(live):
    async def scene(session: Session, clock: VirtualClock) -> None:
        viewer = session.watch(1000)
        session.push_text("Hello. You.", id="greeting")
        await threads(clock, lambda: session.queued_s > 0.9)
        await clock.advance(3)
        items = waiting(viewer)
        assert changes_of(items) == ["said", "speaks", "rests"]
        assert next(i for i in items if isinstance(i, Change)).id == "greeting"
        assert sum(frame.speaking for frame in frames_of(items)) == pytest.approx(25, abs=1)

    played(scene, live)


def test_a_text_that_cannot_be_spoken_is_told(live):
    async def scene(session: Session, clock: VirtualClock) -> None:
        viewer = session.watch()
        session.push_text("Hello.", "none", id="x")
        await threads(clock, lambda: any(isinstance(i, Failure) for i in viewer._items))
        failure = next(i for i in waiting(viewer) if isinstance(i, Failure))
        assert failure.id == "x"
        assert "no voice" in failure.error.what

    played(scene, live)


def test_an_interruption_reaches_every_stage(live):
    async def scene(session: Session, clock: VirtualClock) -> None:
        viewer = session.watch()
        session.push_text("A long sentence. And one more.")
        await threads(clock, lambda: session.queued_s > 2)
        session.push_text("A text that is never heard.")
        await clock.advance(0.81)
        change = session.interrupt()
        assert change.epoch == session.epoch == 1
        assert change.played_s == pytest.approx(0.8, abs=0.05)
        items = waiting(viewer)
        assert frames_of(items) == []
        assert "interrupted" in changes_of(items)
        await clock.advance(1)
        await asyncio.sleep(0.05)
        await clock.advance(1)
        frames = frames_of(waiting(viewer))
        assert all(frame.epoch == 1 and not frame.speaking for frame in frames)
        assert session.queued_s == 0

    played(scene, live)


def test_what_the_viewer_reports_counts(live):
    async def scene(session: Session, clock: VirtualClock) -> None:
        session.push_audio(np.ones(2 * SAMPLE_RATE, np.float32) / 4)
        await clock.advance(1.0)
        session.report_played(0, round(0.6 * SAMPLE_RATE))
        assert session.interrupt().played_s == pytest.approx(0.6, abs=0.01)
        session.report_played(0, 10**9)
        session.push_audio(np.ones(SAMPLE_RATE, np.float32) / 4)
        await clock.advance(0.5)
        assert session.played_s() == pytest.approx(0.5, abs=0.05)  # a report of another epoch does not

    played(scene, live)


def test_the_newest_wins_when_a_viewer_is_slow(live):
    async def scene(session: Session, clock: VirtualClock) -> None:
        slow, quick = session.watch(10), session.watch(10)
        n_quick = 0
        for _ in range(30):
            await clock.advance(0.12)
            n_quick += len(frames_of(waiting(quick)))
        assert n_quick == session.frame
        frames = frames_of(waiting(slow))
        assert [f.frame for f in frames] == list(range(session.frame - 10, session.frame))
        assert (slow.dropped, quick.dropped) == (session.frame - 10, 0)
        session.leave(slow)
        assert await slow.batch() == []

    played(scene, live)


def test_after_a_standstill_time_goes_on(live):
    async def scene(session: Session, clock: VirtualClock) -> None:
        await clock.advance(1)
        clock._now_s += 30  # the machine slept
        viewer = session.watch(1000)
        await clock.advance(1)
        assert 24 <= len(frames_of(waiting(viewer))) <= 27

    played(scene, live)


def test_minutes_of_talk_stay_together(live):
    """A word every 1.7 s in late and early pieces: each is heard with its frames, and nothing piles up."""

    async def scene(session: Session, clock: VirtualClock) -> None:
        rng = np.random.default_rng(0)
        word = (0.3 * np.sign(np.sin(np.arange(8000) / 9))).astype(np.float32)
        viewer = session.watch(100)
        spoken = 0
        for _ in range(15):
            for piece in np.split(word, 25):
                session.push_audio(piece)
                await clock.advance(0.02 * rng.uniform(0.2, 1.8))
            await clock.advance(1.2)
            frames = frames_of(waiting(viewer))
            spoken += sum(frame.speaking for frame in frames)
            assert session.queued_s == 0
        assert spoken == pytest.approx(15 * 15, abs=40)  # 12.5, and the gaps where pieces were too late
        assert session.played_s() == pytest.approx(7.5, abs=0.1)
        late_ms, wait_ms = (session.latencies.stages[name].percentiles(95.0)[0] for name in ("late", "wait"))
        assert late_ms < 1
        assert wait_ms < 250

    played(scene, live)


def test_sentences():
    assert sentences("Hello there. How are you?! 3.5 is a number... \n\nOk") == [
        "Hello there.", "How are you?!", "3.5 is a number...", "Ok",
    ]  # fmt: skip
    assert sentences("你好。再见。") == ["你好。", "再见。"]
    assert sentences('He said "no." Then - left. !!!') == ['He said "no."', "Then - left. !!!"]
    assert sentences("  ") == []

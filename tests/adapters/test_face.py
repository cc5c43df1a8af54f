import asyncio

import numpy as np
import pytest

from locutor.adapters.face import Face
from locutor.avatar.avatar import Avatar
from locutor.live.live_avatar import LiveAvatar


@pytest.fixture(scope="module")
def live(speaking_avatar: Avatar) -> LiveAvatar:
    return LiveAvatar(speaking_avatar)


def tone(seconds: float, rate: int, channels: int = 1) -> bytes:
    sound = 8000 * np.sign(np.sin(2 * np.pi * 130 * np.arange(round(seconds * rate)) / rate))
    return sound.astype(np.int16).repeat(channels).tobytes()


def test_ends_come_where_their_sound_ends(live: LiveAvatar):
    async def play() -> tuple[dict[str, int], int, bool]:
        async with Face[str](live) as face:
            face.hear(tone(0.3, 24_000, 2), 24_000, 2)
            face.end("first")
            face.hear(tone(0.2, 16_000), 16_000, 1)
            face.end("second")
            ends: dict[str, int] = {}
            n_frames, is_drawn = 0, False
            async for shown in face.shown():
                n_frames += len(shown.sounds)
                is_drawn |= shown.rgb is not None
                ends |= dict.fromkeys(shown.ends, n_frames)
                if "second" in ends:
                    return ends, n_frames, is_drawn
        raise AssertionError("never ended")

    ends, n_frames, is_drawn = asyncio.run(play())
    assert is_drawn
    assert n_frames == pytest.approx(13, abs=1)
    assert list(ends) == ["first", "second"]
    assert ends["first"] == pytest.approx(8, abs=2)


def test_an_interruption_silences_and_forgets(live: LiveAvatar):
    async def play() -> None:
        async with Face[str](live) as face:
            face.hear(tone(5, 48_000), 48_000, 1)
            face.end("never")
            n_before = n_after = 0
            async for shown in face.shown():
                assert not shown.ends
                n_before += len(shown.sounds)
                if n_before > 3:
                    face.interrupt()
                    break
            async for shown in face.shown():
                n_after += 1
                assert not shown.ends
                assert not shown.sounds
                if n_after > 8:
                    return

    asyncio.run(play())

"""Against LiveKit's own types; needs the extra."""

import asyncio

import numpy as np
import pytest
from tests.adapters.test_face import live, tone

pytest.importorskip("livekit.agents", exc_type=ImportError)

from livekit import rtc
from livekit.agents.voice.avatar import AudioSegmentEnd, VideoGenerator

from locutor.adapters.livekit import LocutorVideoGenerator
from locutor.live.live_avatar import LiveAvatar

__all__ = ["live"]


def test_sound_in_sound_pictures_and_its_end_out(live: LiveAvatar):
    async def play() -> list[object]:
        async with LocutorVideoGenerator(live) as video:
            assert isinstance(video, VideoGenerator)
            options = video.options
            assert (options.video_width, options.video_fps, options.audio_sample_rate) == (128, 25, 24_000)
            await video.push_audio(rtc.AudioFrame(tone(0.4, 24_000), 24_000, 1, 9600))
            await video.push_audio(AudioSegmentEnd())
            found: list[object] = []
            async for item in video:
                found.append(item)
                if isinstance(item, AudioSegmentEnd):
                    return found
        raise AssertionError("never ended")

    found = asyncio.run(play())
    pictures = [item for item in found if isinstance(item, rtc.VideoFrame)]
    sound = np.concatenate([np.array(item.data) for item in found if isinstance(item, rtc.AudioFrame)])
    assert (pictures[0].width, pictures[0].height, pictures[0].type) == (128, 128, rtc.VideoBufferType.RGB24)
    assert len(pictures) >= 5
    assert (np.abs(sound) > 4000).sum() == pytest.approx(9600, rel=0.03)


def test_clear_buffer(live: LiveAvatar):
    async def play() -> None:
        async with LocutorVideoGenerator(live) as video:
            await video.push_audio(rtc.AudioFrame(tone(5, 48_000, 2), 48_000, 2, 240_000))
            await video.push_audio(AudioSegmentEnd())
            n_after = None
            async for item in video:
                assert not isinstance(item, AudioSegmentEnd)
                if n_after is None and isinstance(item, rtc.AudioFrame):
                    video.clear_buffer()
                    n_after = 0
                elif n_after is not None:
                    assert n_after < 3 or not isinstance(item, rtc.AudioFrame)  # what was drawn already may come
                    n_after += 1
                    if n_after > 8:
                        return

    asyncio.run(play())

"""Against Pipecat's own types and its own test pipeline; needs the extra."""

import asyncio

import numpy as np
import pytest
from tests.adapters.test_face import live, tone

pytest.importorskip("pipecat.frames.frames", exc_type=ImportError)

from pipecat.frames.frames import (
    InterruptionFrame,
    OutputImageRawFrame,
    TextFrame,
    TTSAudioRawFrame,
    TTSStartedFrame,
    TTSStoppedFrame,
)
from pipecat.tests.utils import SleepFrame, run_test

from locutor.adapters.pipecat import LocutorVideoService
from locutor.live.live_avatar import LiveAvatar

__all__ = ["live"]


def test_the_voice_comes_out_with_pictures_and_then_its_end(live: LiveAvatar):
    frames = [TTSStartedFrame(), TTSAudioRawFrame(tone(0.4, 24_000), 24_000, 1), TTSStoppedFrame(), TextFrame("x")]
    down, _ = asyncio.run(run_test(LocutorVideoService(live), frames_to_send=frames, start_timeout=20))
    kinds = [type(frame) for frame in down]
    sound = np.concatenate([np.frombuffer(f.audio, np.int16) for f in down if isinstance(f, TTSAudioRawFrame)])
    assert (np.abs(sound) > 4000).sum() == pytest.approx(9600, rel=0.03)
    pictures = [frame for frame in down if isinstance(frame, OutputImageRawFrame)]
    assert len(pictures) >= 5
    assert pictures[0].size == (128, 128)
    assert len(pictures[0].image) == 128 * 128 * 3
    assert any(frame.sync_with_audio for frame in pictures)
    assert kinds.index(TextFrame) < kinds.index(TTSStoppedFrame)  # what is not the voice does not wait for it
    last_sound = len(kinds) - 1 - kinds[::-1].index(TTSAudioRawFrame)
    assert last_sound < kinds.index(TTSStoppedFrame)


def test_an_interruption(live: LiveAvatar):
    frames = [TTSAudioRawFrame(tone(30, 24_000), 24_000, 1), SleepFrame(1.0), InterruptionFrame(), SleepFrame(0.5)]
    down, _ = asyncio.run(run_test(LocutorVideoService(live), frames_to_send=frames, start_timeout=20))
    kinds = [type(frame) for frame in down]
    at = kinds.index(InterruptionFrame)
    assert TTSAudioRawFrame in kinds[:at]
    assert kinds[at + 3 :].count(TTSAudioRawFrame) == 0
    assert OutputImageRawFrame in kinds[at:]  # it goes on living

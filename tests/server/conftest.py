"""A server of the synthetic avatar, in this process."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from starlette.testclient import TestClient
from tests.synthetic.fixtures import avatar_file, performance, speaking_avatar

from locutor.core.clock import SAMPLE_RATE
from locutor.server.app import make_app
from locutor.server.config import ServerConfig, ServerLimits
from locutor.server.gallery import Gallery
from locutor.speech.phonemes import Phoneme, Speech, SpeechError

__all__ = ["avatar_file", "performance", "speaking_avatar"]

LIMITS = ServerLimits(
    sessions=4,
    viewers=2,
    drawn=1,
    text_characters=100,
    queued_s=5.0,
    upload_bytes=100_000,
    upload_s=3.0,
    message_bytes=4000,
    messages_per_s=50.0,
    burst=100.0,
    requests_per_s=1000.0,
    request_burst=1000.0,
    hello_s=0.3,
    absent_s=1.0,
    stuck_s=1.0,
)
CONFIG = ServerConfig(host="testserver", limits=LIMITS)
TOKEN = "a token of the tests"


def buzz(text: str, voice: str) -> Speech:
    """A twentieth of a second for each letter, in place of espeak-ng."""
    if voice == "none":
        raise SpeechError("there is no voice none", "take another")
    tone = 0.3 * np.sign(np.sin(2 * np.pi * 130 * np.arange(800 * len(text)) / SAMPLE_RATE))
    return Speech(tone.astype(np.float32), SAMPLE_RATE, (Phoneme("a", 0.0),))


@pytest.fixture
def server(avatar_file: Path) -> Iterator[TestClient]:
    """No token needed."""
    with TestClient(make_app(Gallery([("me", avatar_file)]), CONFIG, buzz)) as client:
        yield client


@pytest.fixture
def guarded(avatar_file: Path) -> Iterator[TestClient]:
    """Wants `TOKEN`."""
    config = replace(CONFIG, token=TOKEN)
    with TestClient(make_app(Gallery([("me", avatar_file)]), config, buzz)) as client:
        yield client

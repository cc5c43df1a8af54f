"""A marked film, a consent, and an avatar that holds one."""

import datetime
from pathlib import Path

import numpy as np
import pytest
from tests.synthetic.fixtures import avatar_file, performance, speaking_avatar

from locutor.media.writer import VideoWriter
from locutor.provenance.config import MarkConfig
from locutor.provenance.consent import Consent
from locutor.provenance.mark import make_mark

__all__ = ["avatar_file", "performance", "speaking_avatar"]


def write_film(path: Path, config: MarkConfig | None, n_frames: int = 20) -> Path:
    """A film of noise, marked or not."""
    rng = np.random.default_rng(0)
    mark = make_mark(config, "0123456789abcdef", "fedcba9876543210") if config else None
    with VideoWriter(path, 64, 48, mark=mark) as writer:
        for _ in range(n_frames):
            writer.write_frame(rng.integers(0, 255, (48, 64, 3), dtype=np.uint8))
            writer.write_audio(rng.normal(0, 0.1, 640).astype(np.float32))
    return path


@pytest.fixture
def marked(tmp_path) -> Path:
    """A film signed with the self-made certificate."""
    return write_film(tmp_path / "marked.mp4", MarkConfig())


@pytest.fixture
def own_data(tmp_path, monkeypatch) -> Path:
    """A user's folder with nothing in it."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    return tmp_path / "home" / "locutor"


def agreed(**changes) -> Consent:
    """A consent that stands."""
    today = datetime.datetime.now(datetime.UTC).date()
    fields = {
        "person": "Ada Example",
        "given_on": today - datetime.timedelta(days=3),
        "scope": "reading aloud on ada.example",
        "expires_on": today + datetime.timedelta(days=3),
        "revocation_contact": "mailto:ada@ada.example",
    }
    return Consent(**(fields | changes))

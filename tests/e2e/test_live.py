"""The page of a live server: speaks, rests, is interrupted, comes back."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from tests.e2e.conftest import LiveServer, scenario

from locutor.media.audio import read_audio
from locutor.media.pictures import decode_rgb
from locutor.media.video import iterate_frames
from locutor.speech.espeak import synthesize

pytestmark = pytest.mark.e2e


def test_a_conversation(live_server: LiveServer, shots: Path):
    def restart() -> None:
        live_server.stop()
        live_server.start()

    found = scenario("live", live_server.url, shots, on_restart=restart)
    (shots / "conversation.json").write_text(json.dumps(found, indent=1) + "\n")
    # The head moves on in silence, which the window around the mouth follows but for its turns.
    assert found["speaking"]["deviation"] > 1.5 * found["silent"]["deviation"]
    assert found["speaking"]["deviation"] > 1.5 * found["rested"]["deviation"]
    assert all("ERR_CONNECTION" in complaint for complaint in found["complaints"])
    assert found["sound"] > 0.005
    assert found["soundAfter"] < found["sound"] / 20
    assert found["interrupted_ms"] < 1500  # of a page that draws in software; see docs/live.md for what people get
    assert "Latency" in found["figures"]


def test_file_microphone_recording_and_the_fallback(live_server: LiveServer, shots: Path, tmp_path: Path):
    speech = synthesize("One two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen.")
    soundfile.write(tmp_path / "count.wav", speech.samples, speech.sample_rate)
    found = scenario("inputs", live_server.url, shots, tmp_path / "count.wav")
    assert found["complaints"] == []
    assert found["heard"] > 0.005
    assert found["notice"] == ""
    recording = Path(found["recording"])
    pictures = list(iterate_frames(recording))
    assert len(pictures) >= 2
    assert np.std(pictures[-1]) > 20  # a picture, not an empty canvas
    assert np.sqrt(np.mean(read_audio(recording) ** 2)) > 0.005
    assert found["asked"]
    assert found["drawnByServer"]["deviation"] > 1
    closed, opened = (decode_rgb((shots / f"live_server_drawn{name}_light.png").read_bytes()) for name in ("", "_open"))
    assert np.abs(closed[:700, :700].astype(int) - opened[:700, :700]).mean() > 0.5


@pytest.mark.parametrize("live_server", ["a-long-secret-of-this-test"], indirect=True)
def test_a_server_that_asks_for_a_token(live_server: LiveServer):
    found = scenario("token", live_server.url, "a-long-secret-of-this-test")
    assert "asks for a token" in found["without"]
    assert found["complaints"] == []

"""The page of a live server: speaks, rests, is interrupted, comes back."""

from pathlib import Path

import pytest
from tests.e2e.conftest import LiveServer, scenario

pytestmark = pytest.mark.e2e


def test_a_conversation(live_server: LiveServer, shots: Path):
    def restart() -> None:
        live_server.stop()
        live_server.start()

    found = scenario("live", live_server.url, shots, on_restart=restart)
    print(found)
    assert found["speaking"]["mean"] > 2 * found["silent"]["mean"]
    assert found["rested"]["mean"] < found["speaking"]["mean"] / 2
    assert found["sound"] > 0.005
    assert found["soundAfter"] < found["sound"] / 20
    assert found["interrupted_ms"] < 1500  # of a page that draws in software; see docs/live.md for what people get
    assert "Latency" in found["figures"]

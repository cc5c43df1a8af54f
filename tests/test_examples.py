"""Every example runs as the reader would run it."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

EXAMPLES = Path(__file__).parents[1] / "examples"


def run(name: str, *words: object) -> str:
    done = subprocess.run(
        [sys.executable, EXAMPLES / name, *map(str, words)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_example_is_tested():
    tested = {"01_speak_a_text.py", "02_stream_sound.py"}
    assert {path.name for path in EXAMPLES.glob("*.py")} == tested


def test_speak_a_text(tmp_path: Path):
    pytest.importorskip("espeakng_loader")
    out = tmp_path / "said.mp4"
    assert "frames" in run("01_speak_a_text.py", out)
    assert out.stat().st_size > 10_000


def test_stream_sound(tmp_path: Path):
    sound = tmp_path / "noise.wav"
    soundfile.write(sound, 0.1 * np.random.default_rng(0).normal(size=24000), 16000)
    printed = run("02_stream_sound.py", sound)
    assert "35 frames" in printed  # of 37.5: frame 35 starts at 1.4 s and needs 112.5 ms more
    assert "100 ms behind" in printed

"""A static export in a browser: the picture is the native one, and it moves with the sound."""

import json
import os
from pathlib import Path

import pytest
from tests.e2e.conftest import scenario

from locutor.cli.verbs import SENTENCES, find_avatar
from locutor.evaluate.pictures import psnr_db
from locutor.export.take import spoken_take
from locutor.export.web import export_web
from locutor.media.pictures import decode_rgb
from locutor.speech.espeak import synthesize

FRAMES = (0, 12, 25, 40, 61)
LEAST_DB = 32.0
pytestmark = pytest.mark.e2e


def test_the_browser_draws_what_the_native_renderer_draws(static_host, shots: Path, tmp_path: Path):
    name = os.environ.get("LOCUTOR_E2E_AVATAR", "demo")
    avatar = find_avatar(name)
    speech = synthesize(" ".join(SENTENCES))
    take = spoken_take(avatar, speech.samples, speech.sample_rate, seed=2, text=SENTENCES[0])
    list(export_web(avatar, Path(name).stem, take, tmp_path / "site"))
    found = scenario("static", static_host(tmp_path / "site"), shots, *FRAMES)

    figures = {}
    for k in FRAMES:
        drawn = decode_rgb((shots / f"browser_{k}.png").read_bytes())
        figures[k] = psnr_db(drawn, avatar.render(take.motion[k : k + 1]))
    other = avatar.render(take.motion[FRAMES[1] : FRAMES[1] + 1])
    figures["another frame"] = psnr_db(decode_rgb((shots / f"browser_{FRAMES[0]}.png").read_bytes()), other)
    (shots / "parity.json").write_text(json.dumps(figures, indent=1) + "\n")
    assert min(figures[k] for k in FRAMES) > LEAST_DB, figures
    assert figures["another frame"] < min(figures[k] for k in FRAMES) - 5  # the measure sees motion

    assert found["complaints"] == []
    assert found["playing"]["deviation"] > 1.0
    assert found["atRest"]["deviation"] == found["stopped"]["deviation"] == 0
    assert found["turn"] == pytest.approx(-0.2)

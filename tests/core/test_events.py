import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from locutor.core.events import Event, Progress, Warned, Wrote


def test_json_has_the_kind_and_all_fields_on_one_line():
    line = Wrote(Path("a") / "b.mp4", 'a "video"\nof two lines').as_json()
    assert "\n" not in line
    assert json.loads(line) == {"event": "Wrote", "path": str(Path("a/b.mp4")), "what": 'a "video"\nof two lines'}
    assert json.loads(Warned("ü").as_json()) == {"event": "Warned", "message": "ü"}


def test_a_new_kind_of_event_needs_no_code():
    @dataclass(frozen=True)
    class Judged(Event):
        psnr_db: float

    assert json.loads(Judged(31.5).as_json()) == {"event": "Judged", "psnr_db": 31.5}


def test_time_to_go():
    assert Progress("training", 25, 100, elapsed_s=10.0).eta_s == pytest.approx(30.0)
    assert Progress("training", 100, 100, elapsed_s=10.0).eta_s == 0
    assert Progress("training", 0, 100, elapsed_s=3.0).eta_s is None

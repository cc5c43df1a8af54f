import json
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from locutor.cli.progress import show
from locutor.core.events import Event, Progress, Warned, Wrote

EVENTS = [
    Progress("tracking", 0, 4, 0.0),
    Warned("a frame is missing"),
    Progress("tracking", 4, 4, 2.0, "steady"),
    Progress("training", 1, 9, 1.0, "PSNR 30"),
    Wrote(Path("x.avatar"), "avatar"),
]


def test_elsewhere_one_json_line_per_event(capsys):
    show(iter(EVENTS))
    out, err = capsys.readouterr()
    assert [json.loads(line) for line in out.splitlines()] == [json.loads(e.as_json()) for e in EVENTS]
    assert err == ""


def test_lines_come_as_they_happen(capsys):
    seen = []

    def events() -> Iterator[Event]:
        for event in EVENTS:
            yield event
            seen.append(capsys.readouterr().out)

    show(events())
    assert [line.count("\n") for line in seen] == [1] * len(EVENTS)


def test_on_a_terminal_a_bar_per_stage(monkeypatch, capsys):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "160")
    show(iter(EVENTS))
    out, _ = capsys.readouterr()
    for text in ("tracking", "4/4", "steady", "training", "1/9", "PSNR 30", "a frame is missing", "x.avatar"):
        assert text in out
    assert '{"event"' not in out


@pytest.mark.parametrize("is_terminal", [False, True])
def test_warnings_are_told_once_at_the_end(monkeypatch, capsys, is_terminal):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: is_terminal)

    def events() -> Iterator[Event]:
        for _ in range(3):
            warnings.warn("the file is cut off", UserWarning, stacklevel=1)
            warnings.warn("for programmers", DeprecationWarning, stacklevel=1)
            yield EVENTS[0]

    show(events())
    _, err = capsys.readouterr()
    assert err == "locutor: warning: the file is cut off\n"


def test_an_error_goes_through(capsys):
    def events() -> Iterator[Event]:
        yield EVENTS[0]
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        show(events())
    assert capsys.readouterr().out.count("\n") == 1

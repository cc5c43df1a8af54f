import re
import sys
from pathlib import Path

from locutor.cli.progress import show
from locutor.core.events import Progress, Warned, Wrote

COLOURS = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


def test_square_brackets_in_names_are_shown(monkeypatch, capsys):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "160")
    events = (Warned("the folder [old] is full"), Progress("judging", 1, 2, 1.0, "[fast]"))
    show(iter([*events, Wrote(Path("me[1].avatar"), "avatar"), Wrote(Path("[bold]x.mp4"), "video")]))
    shown = COLOURS.sub("", capsys.readouterr().out)
    for text in ("the folder [old] is full", "[fast]", "me[1].avatar", "[bold]x.mp4"):
        assert text in shown

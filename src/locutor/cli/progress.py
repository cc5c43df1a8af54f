"""Showing events: bars with an ETA on a terminal, one JSON line per event elsewhere."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterable

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

from locutor.core.events import Event, Progress, Warned, Wrote


def show(events: Iterable[Event]) -> None:
    """Consume a stream of events to its end."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        if sys.stdout.isatty():
            _on_terminal(events)
        else:
            for event in events:
                print(event.as_json(), flush=True)
    for text in {str(w.message) for w in caught if issubclass(w.category, UserWarning)}:
        print(f"locutor: warning: {text}", file=sys.stderr)


def _on_terminal(events: Iterable[Event]) -> None:
    console = Console()
    columns = (
        TextColumn("{task.description:<24}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(elapsed_when_finished=True),
        TextColumn("{task.fields[note]}"),
    )
    tasks: dict[str, TaskID] = {}
    with Bars(*columns, console=console) as bars:
        for event in events:
            match event:
                case Progress():
                    if event.stage not in tasks:
                        tasks[event.stage] = bars.add_task(event.stage, total=event.total, note="")
                    note = escape(event.note)
                    bars.update(tasks[event.stage], completed=event.done, total=event.total, note=note)
                case Warned():
                    console.print(f"[yellow]note[/] {escape(event.message)}")
                case Wrote():
                    console.print(f"[green]wrote[/] {event.what}: {escape(str(event.path))}")

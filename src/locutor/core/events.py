"""Events: what long work reports while it runs. A command line, a log file and a test consume the same stream."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Event:
    """Base of every event."""

    def as_record(self) -> dict[str, Any]:
        """The event as one JSON-ready record: its kind and its fields."""
        record: dict[str, Any] = {"event": type(self).__name__}
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            record[field.name] = str(value) if isinstance(value, Path) else value
        return record

    def as_json(self) -> str:
        """The event as one line of JSON."""
        return json.dumps(self.as_record())


@dataclass(frozen=True)
class Progress(Event):
    """`done` of `total` units of the stage are finished after `elapsed_s` seconds.

    Attributes:
        stage: what is being done, in the words of the user ("tracking the face").
        note: figures worth showing beside the bar, such as "loss .021  PSNR 31.2".
    """

    stage: str
    done: int
    total: int
    elapsed_s: float
    note: str = ""

    @property
    def eta_s(self) -> float | None:
        """Seconds to go at the pace so far; None before the first unit is done."""
        if self.done == 0:
            return None
        return self.elapsed_s / self.done * (self.total - self.done)


@dataclass(frozen=True)
class Warned(Event):
    """Something the user should know that does not stop the work."""

    message: str


@dataclass(frozen=True)
class Wrote(Event):
    """A finished file or folder."""

    path: Path
    what: str

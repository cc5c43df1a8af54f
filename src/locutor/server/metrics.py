"""GET /metrics: Prometheus' text format, written by hand; there are few of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from pydantic import BaseModel

from locutor.live.latency import BOUNDS_MS
from locutor.server.hub import Hub


class Stage(BaseModel):
    """`Latency` without its recent part.

    Attributes:
        counts: by the bins of `BOUNDS_MS`.
        total_ms: sum of all durations.
    """

    counts: list[int]
    total_ms: float

    def __add__(self, other: Stage) -> Stage:
        counts = [a + b for a, b in zip(self.counts, other.counts, strict=True)]
        return Stage(counts=counts, total_ms=self.total_ms + other.total_ms)


class Figures(BaseModel):
    """What a server has counted; those of several processes add up.

    Attributes:
        sessions, viewers, drawn: now.
        sessions_ever, messages_sent, bytes_sent, frames_dropped: since the start.
        refusals: by their code.
        stages: durations by stage.
    """

    sessions: int
    viewers: int
    drawn: int
    sessions_ever: int
    messages_sent: int
    bytes_sent: int
    frames_dropped: int
    refusals: dict[str, int]
    stages: dict[str, Stage]

    @staticmethod
    def of(hub: Hub) -> Figures:
        """What this process has counted."""
        rooms = list(hub.rooms.values())
        return Figures(
            sessions=len(rooms),
            viewers=sum(len(room.seats) for room in rooms),
            drawn=hub.drawing,
            sessions_ever=hub.n_sessions_ever,
            messages_sent=hub.messages_sent,
            bytes_sent=hub.bytes_sent,
            frames_dropped=hub.frames_dropped + sum(seat.viewer.dropped for room in rooms for seat in room.seats),
            refusals=hub.refusals,
            stages={
                name: Stage(counts=latency.counts, total_ms=latency.total_ms)
                for name, latency in hub.latencies.stages.items()
            },
        )

    def __add__(self, other: Figures) -> Figures:
        both = {
            name: getattr(self, name) + getattr(other, name) for name in Figures.model_fields if name not in _TABLES
        }
        stages = dict(self.stages)
        for name, stage in other.stages.items():
            stages[name] = stages[name] + stage if name in stages else stage
        return Figures(**both, refusals=dict(Counter(self.refusals) + Counter(other.refusals)), stages=stages)


_TABLES = ("refusals", "stages")


def metrics_text(figures: Figures) -> str:
    """As Prometheus reads them."""
    return "\n".join(_lines(figures)) + "\n"


def _lines(figures: Figures) -> Iterator[str]:
    yield from _one("locutor_sessions", "gauge", "Sessions that are running.", figures.sessions)
    yield from _one("locutor_viewers", "gauge", "Viewers of all sessions.", figures.viewers)
    yield from _one("locutor_drawn_streams", "gauge", "Streams of pictures that the server draws.", figures.drawn)
    yield from _one("locutor_sessions_total", "counter", "Sessions since the start.", figures.sessions_ever)
    yield from _one("locutor_messages_sent_total", "counter", "Binary messages to viewers.", figures.messages_sent)
    yield from _one("locutor_bytes_sent_total", "counter", "Bytes of binary messages to viewers.", figures.bytes_sent)
    yield from _one(
        "locutor_frames_dropped_total", "counter", "Frames that viewers were too slow for.", figures.frames_dropped
    )
    yield "# HELP locutor_refusals_total Requests that were not carried out, by reason."
    yield "# TYPE locutor_refusals_total counter"
    for code, count in sorted(figures.refusals.items()):
        yield f'locutor_refusals_total{{code="{code}"}} {count}'
    name = "locutor_stage_seconds"
    yield f"# HELP {name} Time that a stage takes for a frame (speech: for a sentence)."
    yield f"# TYPE {name} histogram"
    for stage, latency in sorted(figures.stages.items()):
        total = 0
        for bound_ms, count in zip(BOUNDS_MS, latency.counts, strict=False):
            total += count
            yield f'{name}_bucket{{stage="{stage}",le="{bound_ms / 1e3:g}"}} {total}'
        total += latency.counts[-1]
        yield f'{name}_bucket{{stage="{stage}",le="+Inf"}} {total}'
        yield f'{name}_sum{{stage="{stage}"}} {latency.total_ms / 1e3:.6f}'
        yield f'{name}_count{{stage="{stage}"}} {total}'


def _one(name: str, kind: str, about: str, value: int) -> Iterator[str]:
    yield f"# HELP {name} {about}"
    yield f"# TYPE {name} {kind}"
    yield f"{name} {value}"

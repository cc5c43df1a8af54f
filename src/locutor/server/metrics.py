"""GET /metrics: Prometheus' text format, written by hand; there are few of them."""

from __future__ import annotations

from collections.abc import Iterator

from locutor.live.latency import BOUNDS_MS
from locutor.server.hub import Hub


def metrics_text(hub: Hub) -> str:
    """All figures of a server."""
    return "\n".join(_lines(hub)) + "\n"


def _lines(hub: Hub) -> Iterator[str]:
    rooms = list(hub.rooms.values())
    dropped = hub.frames_dropped + sum(seat.viewer.dropped for room in rooms for seat in room.seats)
    yield from _one("locutor_sessions", "gauge", "Sessions that are running.", len(rooms))
    yield from _one("locutor_viewers", "gauge", "Viewers of all sessions.", sum(len(room.seats) for room in rooms))
    yield from _one("locutor_drawn_streams", "gauge", "Streams of pictures that the server draws.", hub.drawing)
    yield from _one("locutor_sessions_total", "counter", "Sessions since the start.", hub.n_sessions_ever)
    yield from _one("locutor_messages_sent_total", "counter", "Binary messages to viewers.", hub.frames_sent)
    yield from _one("locutor_bytes_sent_total", "counter", "Bytes of binary messages to viewers.", hub.bytes_sent)
    yield from _one("locutor_frames_dropped_total", "counter", "Frames that viewers were too slow for.", dropped)
    yield "# HELP locutor_refusals_total Requests that were not carried out, by reason."
    yield "# TYPE locutor_refusals_total counter"
    for code, count in sorted(hub.refusals.items()):
        yield f'locutor_refusals_total{{code="{code}"}} {count}'
    name = "locutor_stage_seconds"
    yield f"# HELP {name} Time that a stage takes for a frame (speech: for a sentence)."
    yield f"# TYPE {name} histogram"
    for stage, latency in sorted(hub.latencies.stages.items()):
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

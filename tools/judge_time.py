"""What capturing a film costs: CPU time, wall time and memory of each stage.

    .venv/bin/python tools/judge_time.py --film french.mp4 --minutes 5 --out DIR

The film is repeated until it is that long (packets are copied, nothing is encoded again). CPU time is that of all
threads; of wall time only a quiet machine tells the truth. Prints a table in Markdown.
"""

from __future__ import annotations

import resource
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

import av
import tyro

from locutor.capture.config import CaptureConfig
from locutor.capture.film import capture_film
from locutor.capture.performance import PerformanceMeta
from locutor.core.events import Progress


@dataclass(frozen=True)
class Config:
    """What to measure.

    Attributes:
        film: with one person.
        out: folder for the long film and its capture, which is made anew.
        minutes: length of the long film.
    """

    film: Path
    out: Path
    minutes: float = 5.0


def main() -> None:
    config = tyro.cli(Config)
    config.out.mkdir(parents=True, exist_ok=True)
    film = config.out / "long.mkv"  # a container that takes any codec
    repeat(config.film, film, 60 * config.minutes)
    captured = config.out / "captured"
    shutil.rmtree(captured, ignore_errors=True)
    costs: dict[str, list[float]] = {}
    stage, cpu_s, wall_s = "start", _cpu_s(), time.monotonic()
    for event in capture_film(film, captured, CaptureConfig()):
        row = costs.setdefault(stage, [0.0, 0.0])
        row[0] += _cpu_s() - cpu_s
        row[1] += time.monotonic() - wall_s
        cpu_s, wall_s = _cpu_s(), time.monotonic()
        if isinstance(event, Progress):
            stage = f"{event.stage}: {event.note}" if event.note and event.done < event.total else event.stage
    n_frames = PerformanceMeta.load(captured / "meta.json").n_frames
    print("| stage | CPU, s | CPU, ms per frame | wall, s |\n|---|---|---|---|")
    for name, (cpu, wall) in [*costs.items(), ("all", [sum(row[i] for row in costs.values()) for i in range(2)])]:
        print(f"| {name} | {cpu:.1f} | {1e3 * cpu / n_frames:.1f} | {wall:.1f} |")
    peak_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"\n{n_frames} frames; at most {peak_gb:.2f} GB")


def repeat(film: Path, long_film: Path, seconds: float) -> None:
    """Copy the film's packets behind each other until it is long enough."""
    with av.open(str(long_film), "w") as out:
        streams: dict[str, av.stream.Stream] = {}
        base_s = 0.0
        while base_s < seconds:
            end_s = 0.0
            with av.open(str(film)) as container:
                given = [s for s in container.streams if s.type in ("video", "audio")]
                for stream in given:
                    if stream.type not in streams:
                        streams[stream.type] = out.add_stream_from_template(stream)
                for packet in container.demux(given):
                    if packet.dts is None or packet.pts is None:
                        continue
                    step_s = float(packet.stream.time_base or 0)
                    if packet.stream.type == "video":
                        end_s = max(end_s, (packet.pts + (packet.duration or 0)) * step_s)
                    shift = round(base_s / step_s)
                    packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
                    packet.stream = streams[packet.stream.type]
                    out.mux(packet)
            base_s += end_s


def _cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main()

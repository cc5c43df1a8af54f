"""Judge how steadily real films are followed: residual flow on points that the fit did not use.

    .venv/bin/python tools/judge_flow.py --films french.mp4 lieu.mp4 --out DIR

Captures the films that DIR lacks, prints a line of Markdown for each (the track, landmarks alone, the detector frame by
frame) and writes the plot of each as DIR/NAME.svg: the one of its report, which shows nobody.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

import tyro

from locutor.capture.config import CaptureConfig
from locutor.capture.film import capture_film
from locutor.capture.report import PAGE, RECORD

CHART = re.compile(r"<svg (?:(?!</svg>).)*residual flow.*?</svg>", re.DOTALL)
NAMES = ("residual_flow_px", "residual_flow_landmarks_px", "residual_flow_raw_px")


@dataclass(frozen=True)
class Config:
    """What to judge.

    Attributes:
        films: with one person each.
        out: folder of the captures and plots.
    """

    films: tuple[Path, ...]
    out: Path


def main() -> None:
    config = tyro.cli(Config)
    config.out.mkdir(parents=True, exist_ok=True)
    print("| film | s | track, px per frame | landmarks alone | detector frame by frame |\n|---|---|---|---|---|")
    for film in config.films:
        name = film.stem.partition("_")[0]
        folder = config.out / name
        if not folder.is_dir():
            for _ in capture_film(film, folder, CaptureConfig()):
                pass
        figures = json.loads((folder / RECORD).read_text())["figures"]
        print(f"| {name} | {figures['seconds']:.0f} | {' | '.join(f'{figures[k]:.3f}' for k in NAMES)} |", flush=True)
        chart = CHART.search((folder / PAGE).read_text())
        assert chart is not None, f"{folder / PAGE} has no plot of the residual flow"
        plot = chart.group().replace("<svg ", "<svg xmlns='http://www.w3.org/2000/svg' font-family='sans-serif' ", 1)
        (config.out / f"{name}.svg").write_text(plot + "\n")


if __name__ == "__main__":
    main()

"""Judge the estimate of how late a film's sound is: sounds shifted by -12 ... 12 frames against the same lips.

    .venv/bin/python tools/judge_offset.py --performers DIR/A11 DIR/B11 --films french.mp4 --captured french

A performer (a folder of docs/performers.md) has a known truth: its lips run ahead of its sound by what its style says,
which is the same as a sound that is late by that much. Its lips are those tracked where tools/judge_capture.py has left
a capture beside it (`NAME-captured`), else those of the truth. A real film's truth is not known: its own estimate
without a shift stands for it, and is printed. Exits with 1 when less than 90 % of the shifts of a clip are found within
a frame.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tyro

from locutor.actors.generators import GENERATORS
from locutor.actors.make_performer import FILM, TRUTH
from locutor.capture.heard import hear_classes, visemes_of
from locutor.capture.offset import estimate_offset_frames
from locutor.capture.performance import Performance
from locutor.capture.sound import cut_sound
from locutor.core.clock import FPS
from locutor.core.motion import Motion

SHIFTS = range(-12, 13)
BAR = 0.9


@dataclass(frozen=True)
class Config:
    """What to judge.

    Attributes:
        performers: folders of performers.
        films: real films, and
        captured: their performance folders, in the same order.
    """

    performers: tuple[Path, ...] = ()
    films: tuple[Path, ...] = ()
    captured: tuple[Path, ...] = ()


def main() -> None:
    config = tyro.cli(Config)
    held = True
    for folder in config.performers:
        about = json.loads((folder / "meta.json").read_text())
        lead = GENERATORS[about["generator"]].styles.draw(about["seed"]).lead_s * FPS
        captured = folder.with_name(f"{folder.name}-captured")
        motion = Performance(captured).tracking.motion if captured.is_dir() else _true_motion(folder / TRUTH)
        held &= judge(folder / FILM, motion, f"{folder.name}, {'tracked' if captured.is_dir() else 'true'} lips", lead)
    for film, captured in zip(config.films, config.captured, strict=True):
        performance = Performance(captured)
        assert performance.meta.start_s == 0, f"{captured} is a part of its film"
        held &= judge(film, performance.tracking.motion, film.stem, None)
    sys.exit(0 if held else 1)


def judge(film: Path, motion: Motion, name: str, lead: float | None) -> bool:
    """Print a line; whether enough shifts were found."""
    own, confidence = 0.0, 0.0
    estimates = []
    for shift in (0, *SHIFTS):
        # Taken from the film as if its sound track began later.
        sound = cut_sound(film, -shift / FPS, len(motion))
        found, sure = estimate_offset_frames(visemes_of(hear_classes(sound)), motion)
        if not estimates:
            own, confidence = found, sure
        estimates.append(found)
    truth = own if lead is None else lead
    errors = np.array(estimates[1:]) - (truth + np.array(SHIFTS))
    share = float((np.abs(errors) <= 1).mean())
    of = "its own estimate" if lead is None else f"the true lead {lead:.2f}"
    print(
        f"{name}: {own:+.2f} frames late (confidence {confidence:.2f}); shifted, against {of}: "
        f"{share:.0%} within a frame, worst {np.abs(errors).max():.2f}, median {np.median(np.abs(errors)):.2f}",
        flush=True,
    )
    return share >= BAR


def _true_motion(path: Path) -> Motion:
    with np.load(path) as truth:
        return Motion(**{name: truth[f"motion_{name}"] for name in ("face", "head_wxyz", "head_xyz")})


if __name__ == "__main__":
    main()

"""Judge captures against performers whose motion is known.

    .venv/bin/python tools/judge_capture.py --out DIR --seeds 11 12 13

Renders the performers that DIR lacks (a folder per seed and generator, docs/performers.md; slow), captures them
anew, and compares: head rotation (a constant turn of the head frame is nobody's error and is taken out), its jitter
beside MediaPipe's own pose, yaw and pitch, jaw and blinks. Writes DIR/judged.json, to which runs over other seeds add,
prints the table of all in it, and exits with 1 when a figure misses its bar.
"""

from __future__ import annotations

import itertools
import json
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tyro

from locutor.actors.make_performer import Config as PerformerConfig
from locutor.actors.make_performer import make_performer
from locutor.capture.config import CaptureConfig
from locutor.capture.film import capture_film
from locutor.capture.model_files import FACE_LANDMARKER, find_model_file
from locutor.capture.performance import Performance
from locutor.core.arkit import ARKIT_NAMES
from locutor.core.events import Progress
from locutor.geometry.rotation import matrix_from_wxyz, mean_rotation, rotvec_from_matrix

BARS = {
    "median_deg": (0.5, "at most"),
    "p95_deg": (1.5, "at most"),
    "jitter_of_raw": (0.2, "at most"),
    "pitch_r": (0.85, "at least"),
    "yaw_r": (0.85, "at least"),
    "jaw_r": (0.9, "at least"),
    "blink_r": (0.9, "at least"),
}


@dataclass(frozen=True)
class Config:
    """What to judge.

    Attributes:
        out: folder of the performers; missing ones are rendered there.
        seeds: of the performers.
        generators: families of performers, each with all seeds.
        seconds: length of each.
    """

    out: Path
    seeds: tuple[int, ...] = (11, 12, 13, 14, 15)
    generators: tuple[str, ...] = ("A", "B")
    seconds: float = 20.0


def main() -> None:
    config = tyro.cli(Config)
    record = config.out / "judged.json"
    rows: dict[str, dict[str, float]] = json.loads(record.read_text()) if record.is_file() else {}
    for generator, seed in itertools.product(config.generators, config.seeds):
        folder = config.out / f"{generator}{seed}"
        if not (folder / "truth.npz").is_file():
            _consume(make_performer(PerformerConfig(folder, seed, config.seconds, generator=generator)))
        captured = config.out / f"{generator}{seed}-captured"
        shutil.rmtree(captured, ignore_errors=True)
        _consume(capture_film(folder / "performer.mp4", captured, CaptureConfig()))
        rows[folder.name] = judge(Performance(captured), folder / "truth.npz")
        record.write_text(json.dumps(rows, indent=1) + "\n")
    print("\n".join(table(rows)))
    missed = [
        f"{name} of {who}: {figures[name]:.3g}, to be {kind} {bar}"
        for who, figures in rows.items()
        for name, (bar, kind) in BARS.items()
        if not (figures[name] <= bar if kind == "at most" else figures[name] >= bar)
    ]
    print("\n".join(missed) or "all figures hold")
    sys.exit(1 if missed else 0)


def table(rows: dict[str, dict[str, float]]) -> list[str]:
    """Lines of Markdown: each performer, then the median and the worst (of `BARS`: against its bar)."""
    names = list(next(iter(rows.values())))
    values = {name: [row[name] for row in rows.values()] for name in names}
    worst = {name: min(values[name]) if name.endswith("_r") else max(values[name]) for name in names}
    lines = [f"| performer | {' | '.join(names)} |", f"|---{'|---' * len(names)}|"]
    lines += [f"| {who} | {' | '.join(f'{row[name]:.3f}' for name in names)} |" for who, row in sorted(rows.items())]
    lines.append(f"| median | {' | '.join(f'{np.median(values[name]):.3f}' for name in names)} |")
    lines.append(f"| worst | {' | '.join(f'{worst[name]:.3f}' for name in names)} |")
    return lines


def judge(performance: Performance, truth_file: Path) -> dict[str, float]:
    """Figures of one capture."""
    with np.load(truth_file) as data:
        truth = {name: data[name] for name in data.files}
    n = min(len(performance), len(truth["motion_head_wxyz"]))
    motion = performance.tracking.motion[:n]
    R_true = matrix_from_wxyz(truth["motion_head_wxyz"][:n].astype(np.float64))
    R = matrix_from_wxyz(motion.head_wxyz.astype(np.float64))
    errors = _errors(R, R_true)
    raw = _errors(_raw_rotations(performance, n), R_true)
    angle = np.degrees(np.linalg.norm(errors, axis=1))
    turns, true_turns = rotvec_from_matrix(R), rotvec_from_matrix(R_true)
    ours, own = motion.blendshapes, truth["motion_blendshapes"][:n]
    jaw, blinks = ARKIT_NAMES.index("jawOpen"), [ARKIT_NAMES.index(f"eyeBlink{side}") for side in ("Left", "Right")]
    return {
        "median_deg": round(float(np.median(angle)), 3),
        "p95_deg": round(float(np.percentile(angle, 95)), 3),
        "raw_median_deg": round(float(np.degrees(np.median(np.linalg.norm(raw, axis=1)))), 3),
        "raw_p95_deg": round(float(np.degrees(np.percentile(np.linalg.norm(raw, axis=1), 95))), 3),
        "jitter_deg": round(_jitter(errors), 4),
        "raw_jitter_deg": round(_jitter(raw), 4),
        "jitter_of_raw": round(_jitter(errors) / _jitter(raw), 4),
        "pitch_r": round(_r(turns[:, 0], true_turns[:, 0]), 4),
        "yaw_r": round(_r(turns[:, 1], true_turns[:, 1]), 4),
        "jaw_r": round(_r(ours[:, jaw], own[:, jaw]), 4),
        "blink_r": round(_r(ours[:, blinks].mean(1), own[:, blinks].mean(1)), 4),
        "residual_flow_px": performance.meta.quality.residual_flow_px,
    }


def _errors(R: np.ndarray, R_true: np.ndarray) -> np.ndarray:
    """[T, 3] rad, rotation vectors; the constant turn between the two head frames is taken out."""
    offset = mean_rotation(np.swapaxes(R_true, 1, 2) @ R)
    return rotvec_from_matrix(R @ offset.T @ np.swapaxes(R_true, 1, 2))


def _jitter(errors: np.ndarray) -> float:
    """Standard deviation of the second difference, degrees."""
    return float(np.degrees(np.sqrt((np.diff(errors, n=2, axis=0) ** 2).sum(1).mean())))


def _raw_rotations(performance: Performance, n: int) -> np.ndarray:
    """MediaPipe's own head pose, frame by frame (its axes are x right, y up, z towards the camera)."""
    import mediapipe as mp
    from mediapipe.tasks.python import BaseOptions, vision

    options = vision.FaceLandmarkerOptions(
        base_options=BaseOptions(model_asset_path=str(find_model_file(FACE_LANDMARKER))),
        output_facial_transformation_matrixes=True,
    )
    flip, rotations = np.diag([1.0, -1.0, -1.0]), []
    with vision.FaceLandmarker.create_from_options(options) as task:
        for k in range(n):
            image = mp.Image(image_format=mp.ImageFormat.SRGB, data=performance.frames.rgb(k))
            found = task.detect(image).facial_transformation_matrixes
            rotations.append(flip @ found[0][:3, :3] @ flip if found else rotations[-1])
    U, _, Vt = np.linalg.svd(np.array(rotations))
    return U @ Vt


def _r(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.corrcoef(a, b)[0, 1])


def _consume(events: Any) -> None:
    for event in events:
        if isinstance(event, Progress):
            print(f"\r{event.stage} {event.done}/{event.total}   ", end="", file=sys.stderr)


if __name__ == "__main__":
    main()

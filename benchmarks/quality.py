"""`make quality`: captures, trains and judges the real clips of $LOCUTOR_MEDIA; prints figures beside their floors.

Needs LOCUTOR_MEDIA (with video/*.mp4) and LOCUTOR_MODELS. About ten minutes on two cores.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from pathlib import Path

from locutor.avatar.bundle import load_avatar
from locutor.capture.config import CaptureConfig
from locutor.capture.film import capture_film
from locutor.capture.performance import Performance
from locutor.evaluate.judge import judge
from locutor.fit.config import TrainConfig
from locutor.fit.trainer import FINISHED, train_avatar

# Held-out floors: PSNR frame, face, mouth (dB), lip-gap correlation of `replay`; five-fold correlation of the voice.
FLOORS = {
    "french_50s_512_30fps.mp4": (30.8, 31.2, 30.3, 0.96, 0.52),
    "lieu_45s_512_25fps.mp4": (33.0, 31.5, 28.7, 0.93, 0.52),
    "obama_20s_450_25fps.mp4": (33.0, 32.4, 30.0, 0.96, None),
}


def measure(film: Path, out: Path) -> dict[str, object]:
    performance_folder, run, report = out / "performance", out / "run", out / "report"
    started = time.monotonic()
    if not performance_folder.exists():
        list(capture_film(film, performance_folder, CaptureConfig()))
    captured_s = time.monotonic() - started
    performance = Performance(performance_folder)
    if not (run / FINISHED).exists():
        list(train_avatar(performance, run, TrainConfig()))
    avatar = load_avatar(run / FINISHED)
    if not report.exists():
        list(judge(avatar, performance, report))
    record = json.loads((report / "metrics.json").read_text())
    record["captured_s"] = round(captured_s, 1)
    record["peak_memory_mb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    return record


def main() -> None:
    media = os.environ.get("LOCUTOR_MEDIA") or sys.exit("set LOCUTOR_MEDIA to the folder that holds video/*.mp4")
    out = Path(sys.argv[1] if len(sys.argv) > 1 else "runs/quality")
    for name, floors in FLOORS.items():
        folder = out / Path(name).stem
        folder.mkdir(parents=True, exist_ok=True)
        record = measure(Path(media) / "video" / name, folder)
        print(f"\n{name}: captured {record['captured_s']} s, trained {record['trained_s']} s, "
              f"peak {record['peak_memory_mb']} MB, track {record['track']}")  # fmt: skip
        for row, figures in record["rows"].items():
            print(f"  {row:<24}", "  ".join(f"{key} {value}" for key, value in figures.items()))
        print("  floors of replay        ", floors[:4], " five-fold voice", floors[4])
        print("  voice, five-fold        ", record["voice_five_fold"], flush=True)


if __name__ == "__main__":
    main()

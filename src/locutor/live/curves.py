"""Curves of ARKit's coefficients from other programs: Live Link Face's CSV, Audio2Face's JSON.

CSV: a header with `Timecode` (HH:MM:SS:FF.fff) and columns named as ARKit's coefficients, with or without HeadYaw,
HeadPitch, HeadRoll (rad); what `locutor export --format arkit` writes is one. JSON: Audio2Face's export with
`exportFps`, `facsNames` and `weightMat`.
"""

from __future__ import annotations

import csv
import json
import math
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from locutor.core.arkit import ARKIT_NAMES
from locutor.core.clock import FPS
from locutor.core.errors import FormatError

HEAD_COLUMNS = ("headpitch", "headyaw", "headroll")
LONGEST_S = 4 * 3600
MOST_BYTES = 1 << 30
_RATES = (24.0, 25.0, 30.0, 48.0, 50.0, 60.0)
_COLUMN_OF = {name.lower(): k for k, name in enumerate(ARKIT_NAMES)}
# Live Link Face puts the right before the left here, but each column holds what its name says.


@dataclass(frozen=True)
class Curves:
    """Coefficients at `FPS` frames per second.

    Attributes:
        blendshapes: of `core.arkit.ARKIT_NAMES`, 0..1; 0 where the file has no such column.
        head: turn of the head against its rest, rad: pitch downwards, yaw towards the person's left, roll towards the
            person's left shoulder; None if the file does not turn it.
    """

    blendshapes: Float[ndarray, "T 52"]
    head: Float[ndarray, "T 3"] | None

    def __len__(self) -> int:
        return len(self.blendshapes)


def read_curves(path: Path) -> Curves:
    """Read a CSV or a JSON file and bring it to `FPS`.

    Raises:
        FormatError: the file is missing, too large, or not of one of the two forms; the message says where.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise FormatError(f"{path} is larger than {MOST_BYTES >> 20} MB", "give a CSV or JSON of ARKit curves")
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise FormatError(f"{path} cannot be read as text ({error})", "give a CSV or JSON of ARKit curves") from error
    names, rows, rate = _from_json(path, text) if text.lstrip().startswith("{") else _from_csv(path, text)
    if not any(name in _COLUMN_OF for name in names):
        raise FormatError(
            f"{path} has no column with a name of ARKit's", "export it as Live Link Face or Audio2Face do"
        )
    if not np.isfinite(rows).all():
        frame = int(np.flatnonzero(~np.isfinite(rows).all(axis=1))[0])
        raise FormatError(f"{path}: frame {frame} holds a value that is not finite", "export it again")
    if len(rows) > LONGEST_S * rate:
        raise FormatError(f"{path} is longer than {LONGEST_S // 3600} hours", "cut it")
    times = np.arange(max(1, round(len(rows) / rate * FPS))) / FPS * rate
    resampled = np.stack([np.interp(times, np.arange(len(rows)), column) for column in rows.T], axis=1)
    blendshapes = np.zeros((len(times), len(ARKIT_NAMES)))
    for k, name in enumerate(names):
        if name in _COLUMN_OF:
            blendshapes[:, _COLUMN_OF[name]] = resampled[:, k].clip(0, 1)
    head = None
    if all(name in names for name in HEAD_COLUMNS):
        turns = resampled[:, [names.index(name) for name in HEAD_COLUMNS]]
        head = turns if np.abs(turns).max() > 0 else None
    return Curves(blendshapes, head)


def _from_csv(path: Path, text: str) -> tuple[list[str], Float[ndarray, "n C"], float]:
    lines = list(csv.reader(text.splitlines()))
    header = [name.strip().lower() for name in lines[0]] if lines else []
    kept = [k for k, name in enumerate(header) if name in _COLUMN_OF or name in HEAD_COLUMNS]
    rows, codes = [], []
    for number, line in enumerate(lines[1:], start=2):
        if not line:
            continue
        try:
            rows.append([float(line[k]) for k in kept])
        except (IndexError, ValueError) as error:
            raise FormatError(f"{path}, line {number}: {error}", "export it again") from error
        codes.append(line[header.index("timecode")] if "timecode" in header else "")
    if not rows or not kept:
        raise FormatError(f"{path} holds no frames of ARKit's coefficients", "export it as Live Link Face does")
    return [header[k] for k in kept], np.array(rows), _rate(codes)


def _rate(codes: list[str]) -> float:
    """Frames per second: how many lines most seconds of the time code have; `FPS` if it does not tell."""
    seconds = Counter(code.rpartition(":")[0] for code in codes)
    whole = [seconds[second] for second in list(seconds)[1:-1]]
    if whole:
        n = Counter(whole).most_common(1)[0][0]
        return min(_RATES, key=lambda rate: abs(math.log(rate / n)))
    last = max((float(code.rpartition(":")[2] or 0) for code in codes if code.count(":") == 3), default=0.0)
    return next((rate for rate in (float(FPS), 30.0, 60.0) if last < rate), 60.0)


def _from_json(path: Path, text: str) -> tuple[list[str], Float[ndarray, "n C"], float]:
    try:
        content = json.loads(text)
        names = [str(name).lower() for name in content["facsNames"]]
        rows, rate = np.array(content["weightMat"], np.float64), float(content["exportFps"])
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise FormatError(f"{path} is not an export of Audio2Face ({error!r})", "export blendshape weights") from error
    if rows.ndim != 2 or rows.shape[1] != len(names) or len(rows) == 0 or not 1 <= rate <= 1000:
        raise FormatError(
            f"{path}: weightMat has the shape {rows.shape} with {len(names)} facsNames at {rate:g} frames per second",
            "export blendshape weights again",
        )
    return names, rows, rate

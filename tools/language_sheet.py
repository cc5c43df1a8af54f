"""An avatar speaking ten languages, singing, and answering a child: one row of frames for each, docs/languages.jpg.

    python tools/language_sheet.py [NAME.avatar] [--out SHEET.jpg]

The embedded performer's avatar if none is named. espeak-ng speaks; the frames are those in which the lips are at evenly
spread quantiles of their opening, from the closest to the widest.
"""

from __future__ import annotations

import argparse
from importlib import resources
from pathlib import Path

import cv2
import numpy as np
import soxr
from jaxtyping import Float32, UInt8
from numpy import ndarray

from locutor.avatar.avatar import Avatar
from locutor.avatar.bundle import load_avatar
from locutor.core.clock import FPS, SAMPLE_RATE
from locutor.core.face import MOUTH_SLICE
from locutor.drive.voice import lip_gap
from locutor.live.say import speech_driver
from locutor.speech.voices import synthesize
from score_recordings import CHILDS, SPOKEN, sung

EMBEDDED = resources.files("locutor.actors") / "embedded" / "performer.avatar"
SAID = {
    "espeak:en-us": "Good morning! My mother bought five big apples at the market and walked home.",
    "espeak:de": "Guten Morgen! Meine Mutter kaufte fünf große Äpfel auf dem Markt und ging zu Fuß nach Hause.",
    "espeak:fr": "Bonjour ! Ma mère a acheté cinq belles pommes au marché, puis elle est rentrée à pied.",
    "espeak:es": "¡Buenos días! Mi madre compró cinco manzanas grandes en el mercado y volvió a casa a pie.",
    "espeak:it": "Buongiorno! Mia madre ha comprato cinque belle mele al mercato e poi è tornata a casa a piedi.",
    "espeak:cmn": "早上好！我妈妈在市场买了五个大苹果，然后走路回家。",
} | {voice: SPOKEN[voice] for voice in ("espeak:ru", "espeak:pl", "espeak:tr", "espeak:sv", "festival:czech_krb")}
N_FRAMES, HEIGHT_PX, LABEL_PX = 9, 104, 96
SETTLED = FPS // 2  # frames at the beginning that are not shown: the mouth opens


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("avatar", type=Path, nargs="?")
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parents[1] / "docs/languages.jpg")
    arguments = parser.parse_args()
    with resources.as_file(EMBEDDED) as embedded:
        avatar = load_avatar(arguments.avatar or embedded)
    rows = []
    for name, sound in _sounds().items():
        rows.append(_row(avatar, name, sound))
        print(f"{name}: {len(sound) / SAMPLE_RATE:.1f} s", flush=True)
    cv2.imwrite(str(arguments.out), np.vstack(rows)[..., ::-1], (cv2.IMWRITE_JPEG_QUALITY, 72))


def _sounds() -> dict[str, Float32[ndarray, " n"]]:
    found = {}
    for voice, text in SAID.items():
        speech = synthesize(text, voice)
        found[voice.partition(":")[2]] = soxr.resample(speech.samples, speech.sample_rate, SAMPLE_RATE)
    song, rate = sung()
    found["sung"] = soxr.resample(song, rate, SAMPLE_RATE)
    found["sung, child"] = soxr.resample(song, CHILDS * rate, SAMPLE_RATE)
    return {name: (0.3 * sound / np.abs(sound).max()).astype(np.float32) for name, sound in found.items()}


def _row(avatar: Avatar, name: str, sound: Float32[ndarray, " n"]) -> UInt8[ndarray, "h w 3"]:
    """A label, and frames from the closest lips to the widest."""
    motion = speech_driver(avatar).whole(sound)
    (face,) = motion.require("face")
    order = SETTLED + np.argsort(lip_gap(face[SETTLED:, MOUTH_SLICE]))
    chosen = order[np.linspace(0.02 * len(order), 0.98 * len(order), N_FRAMES).astype(int)]
    label = np.full((HEIGHT_PX, LABEL_PX, 3), 255, np.uint8)
    cv2.putText(label, name, (4, HEIGHT_PX // 2), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (0, 0, 0), 1, cv2.LINE_AA)
    cells = [label]
    for k in chosen:
        picture = avatar.render(motion[int(k) : int(k) + 1])
        width = round(picture.shape[1] * HEIGHT_PX / picture.shape[0])
        cells.append(cv2.resize(picture, (width, HEIGHT_PX), interpolation=cv2.INTER_AREA))
    return np.hstack(cells)


if __name__ == "__main__":
    main()

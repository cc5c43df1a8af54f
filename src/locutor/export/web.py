"""A folder that any static host serves: the page, the baked avatar, a recorded motion with its sound (docs/bake.md)."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import soundfile
import soxr

from locutor.avatar.avatar import Avatar
from locutor.avatar.bake import bake_for_web
from locutor.avatar.marking import mark_of
from locutor.avatar.motion_rows import motion_rows
from locutor.core.clock import FPS
from locutor.core.events import Event, Wrote
from locutor.core.files import atomic_path, refuse_existing_folder
from locutor.export.take import Take
from locutor.provenance.config import MARKED, MarkConfig
from locutor.provenance.page import seal_page

SOUND_RATE = 24_000  # Hz, 16 bit: every browser decodes it
AVATAR, SITE, MOTION, ROWS, SOUND = "avatar", "site.json", "motion.json", "motion.bin", "sound.wav"


def export_web(avatar: Avatar, name: str, take: Take, out: Path, marking: MarkConfig = MARKED) -> Iterator[Event]:
    """Write the folder.

    Args:
        avatar: who is shown.
        name: what the page calls them.
        take: what is played.
        out: appears when it is whole.
        marking: how the page says that it is synthetic.

    Raises:
        OutputError: the folder exists or cannot be written to.
        FormatError: the motion lacks a channel.
        MarkError: it cannot be signed.
    """
    refuse_existing_folder(out)
    with atomic_path(out) as part:
        with resources.as_file(resources.files("locutor") / "server" / "page") as page:
            shutil.copytree(page, part)
        bake_for_web(avatar, part / AVATAR, name)
        write_recording(avatar, take, part)
        (part / SITE).write_text(json.dumps({"kind": "static", "avatar": f"{AVATAR}/", "motion": MOTION}) + "\n")
        seal_page(part, mark_of(avatar, marking))
    yield Wrote(out, "web page")


def write_recording(avatar: Avatar, take: Take, folder: Path) -> None:
    """Write `motion.json`, `motion.bin` and `sound.wav`."""
    rows = motion_rows(avatar, take.motion)
    rows.astype("<f4").tofile(folder / ROWS)
    soundfile.write(folder / SOUND, soxr.resample(take.samples, take.sample_rate, SOUND_RATE), SOUND_RATE, "PCM_16")
    about = {
        "format": "locutor-motion",
        "version": 1,
        "fps": FPS,
        "n_frames": len(rows),
        "n_bases": int(avatar.bases.shape[0]),
        "binary": ROWS,
        "sound": SOUND,
        "text": take.text,
    }
    (folder / MOTION).write_text(json.dumps(about, indent=1) + "\n")

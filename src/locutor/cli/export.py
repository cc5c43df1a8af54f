"""`locutor export`: an avatar for other programs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from locutor.avatar.avatar import Avatar
from locutor.capture.performance import Performance
from locutor.cli.main import Export
from locutor.cli.verbs import SENTENCES, find_avatar
from locutor.core.errors import LocutorError
from locutor.core.events import Event, Wrote
from locutor.core.files import refuse_existing, refuse_existing_folder
from locutor.core.motion import Motion
from locutor.export.arkit_csv import write_arkit_csv
from locutor.export.ply import gaussians_of, write_ply
from locutor.export.take import Take, recorded_take, spoken_take
from locutor.export.web import export_web
from locutor.media.audio import read_audio
from locutor.speech.espeak import synthesize

SOUND_RATE = 24_000  # Hz, at which sound files are read


def export(command: Export) -> Iterator[Event]:
    """Carry out `locutor export`.

    Raises:
        LocutorError: two sources of motion, a frame that is not there, or what reading and writing raise.
    """
    if command.format == "web":
        refuse_existing_folder(command.out)
    else:
        refuse_existing(command.out, command.overwrite)
    avatar = find_avatar(command.avatar)
    match command.format:
        case "web":
            yield from export_web(
                avatar, Path(command.avatar).stem, _take(avatar, command), command.out, command.marking
            )
        case "ply":
            write_ply(gaussians_of(avatar, _frame(avatar, command)), command.out)
            yield Wrote(command.out, "Gaussians")
        case "arkit":
            write_arkit_csv(_take(avatar, command).motion, command.out)
            yield Wrote(command.out, "ARKit coefficients")


def _take(avatar: Avatar, command: Export) -> Take:
    named = [source for source in (command.audio, command.text, command.performance) if source is not None]
    if len(named) > 1:
        raise LocutorError(
            "export takes one source of motion", "name a sound file, or --text, or --performance, not several"
        )
    if command.performance is not None:
        return recorded_take(Performance(command.performance))
    if command.audio is not None:
        return spoken_take(avatar, read_audio(command.audio, SOUND_RATE), SOUND_RATE, command.seed)
    text = command.text or SENTENCES[0]
    speech = synthesize(text, command.voice)
    return spoken_take(avatar, speech.samples, speech.sample_rate, command.seed, text)


def _frame(avatar: Avatar, command: Export) -> Motion | None:
    if command.frame is None:
        return None
    motion = _take(avatar, command).motion
    if not 0 <= command.frame < len(motion):
        raise LocutorError(f"the motion has no frame {command.frame}", f"choose one of 0 to {len(motion) - 1}")
    return motion[command.frame : command.frame + 1]

"""The command line: one dataclass per verb. Heavy packages are imported only by the verb that needs them."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import tyro
from tyro.conf import Positional, arg, subcommand

from locutor.capture.config import CaptureConfig
from locutor.core.errors import LocutorError
from locutor.fit.config import TrainConfig
from locutor.provenance.config import MarkConfig
from locutor.server.config import ServerConfig

Out = Annotated[Path, arg(aliases=["-o"])]


@dataclass(frozen=True)
class Capture:
    """Track a video: makes a performance folder that `train` and `eval` read.

    Attributes:
        video: any film that shows one person talking, or a folder that `locutor actor` made.
        out: folder to make.
        consent: what the person agreed to: a JSON record, or a clip with its record beside it (clip.mp4, clip.json).
        config: how it is captured.
    """

    video: Positional[Path]
    out: Out
    consent: Path | None = None
    config: Annotated[CaptureConfig, arg(name="")] = field(default_factory=CaptureConfig)


@dataclass(frozen=True)
class Train:
    """Learn an avatar from a video or from a performance folder; goes on where a killed run stopped.

    Attributes:
        source: a film, or a folder that `locutor capture` made.
        out: the avatar to write, such as me.avatar; its run folder lies beside it (me.run).
        overwrite: replace an avatar that exists.
        consent: as for `capture`, when the source is a film.
        config: how it is trained.
    """

    source: Positional[Path]
    out: Out
    overwrite: bool = False
    consent: Path | None = None
    config: Annotated[TrainConfig, arg(name="")] = field(kw_only=True)  # no default: the preset decides


@dataclass(frozen=True)
class Say:
    """Let an avatar speak a sound file or a text; writes an mp4 with its sound.

    Attributes:
        avatar: an .avatar file, or `demo` for the embedded performer.
        audio: any sound file, or a film whose sound is taken.
        text: what to say, in place of a sound file; spoken by espeak-ng.
        voice: espeak-ng voice for the text, such as en-us, de, fr-fr.
        out: the video to write.
        motion: curves that take the place of what the sound drives, where they move mouth, eyes, brows or head: the CSV
            of Live Link Face (or of `locutor export --format arkit`), or Audio2Face's JSON.
        seed: of head movement and blinks.
        overwrite: replace a file that exists.
        marking: how the video says that it is synthetic.
    """

    avatar: Positional[str]
    out: Out
    audio: Positional[Path | None] = None
    text: str | None = None
    voice: str = "en-us"
    motion: Path | None = None
    seed: int = 0
    overwrite: bool = False
    marking: Annotated[MarkConfig, arg(name="")] = field(default_factory=MarkConfig)


@dataclass(frozen=True)
class Eval:
    """Judge an avatar on the last 1/11 of its footage, which it never saw; writes videos, figures and a report.

    Two avatars are judged alike and compared.

    Attributes:
        avatars: one .avatar file, or two.
        out: folder to make.
        performance: the captured footage; found by itself when it still lies where it was trained on.
        true_torso: also judge the head over the true torso and background, as some papers do.
        marking: how its videos say that they are synthetic.
    """

    avatars: Positional[tuple[Path, ...]]
    out: Out
    performance: Path | None = None
    true_torso: bool = False
    marking: Annotated[MarkConfig, arg(name="")] = field(default_factory=MarkConfig)


@dataclass(frozen=True)
class Demo:
    """Train on the embedded performer (or your own video), let the avatar speak, print the report's place.

    Attributes:
        out: folder for everything that is made; an interrupted demo goes on there.
        video: your own film in place of the embedded performer.
        audio: a sound file to speak beside the two example sentences.
        consent: as for `capture`.
        marking: how the videos say that they are synthetic.
        config: how it is trained.
    """

    out: Out = Path("demo")
    video: Path | None = None
    audio: Path | None = None
    consent: Path | None = None
    marking: Annotated[MarkConfig, arg(name="")] = field(default_factory=MarkConfig)
    config: Annotated[TrainConfig, arg(name="")] = field(kw_only=True)  # no default: the preset decides


@dataclass(frozen=True)
class Actor:
    """Make a synthetic performer: a film of a person whose every motion is known, and that motion.

    Attributes:
        out: folder to make; `locutor capture` takes it like a film.
        seed: of the person, of what is said and of how it moves.
        minutes: length.
        voice: espeak-ng voice, such as en-us; one that goes with the seed when left out.
        generator: A or B, two families that share no colour, lamp or wall.
        size: width and height of the picture, px.
        procedural: take the head made by code even where the ICT rig is there.
        marking: how the film says that it is synthetic.
    """

    out: Out
    seed: int = 7
    minutes: float = 1.0
    voice: str = ""
    generator: Literal["A", "B"] = "A"
    size: int = 512
    procedural: bool = False
    marking: Annotated[MarkConfig, arg(name="")] = field(default_factory=MarkConfig)


@dataclass(frozen=True)
class Export:
    """Write an avatar for other programs: a web page for any static host, a PLY file, or a motion as ARKit's CSV.

    What moves is a sound, a text or captured footage; a sentence of the demo when nothing is named.

    Attributes:
        avatar: an .avatar file, or `demo` for the embedded performer.
        out: the folder (web) or the file (ply, arkit) to write.
        format: web is a folder with page, avatar, motion and sound; ply holds the Gaussians of one frame, as 3D
            Gaussian Splatting writes them; arkit is a CSV of the 52 coefficients, as Live Link Face writes it.
        audio: a sound file to speak.
        text: what to say, in place of a sound file; spoken by espeak-ng.
        voice: espeak-ng voice for the text, such as en-us, de, fr-fr.
        performance: captured footage to replay, in place of speech.
        frame: of the motion, for ply; the neutral face in the reference pose when left out.
        seed: of head movement and blinks.
        overwrite: replace a file that exists.
        marking: how the page says that it is synthetic.
    """

    avatar: Positional[str]
    out: Out
    format: Literal["web", "ply", "arkit"]
    audio: Positional[Path | None] = None
    text: str | None = None
    voice: str = "en-us"
    performance: Path | None = None
    frame: int | None = None
    seed: int = 0
    overwrite: bool = False
    marking: Annotated[MarkConfig, arg(name="")] = field(default_factory=MarkConfig)


@dataclass(frozen=True)
class Serve:
    """Serve avatars live: a page that shows them, a WebSocket protocol, REST (docs/live.md); needs the extra `live`.

    Attributes:
        avatars: .avatar files, or `demo` for the embedded performer.
        config: how the server is reached.
    """

    avatars: Positional[tuple[str, ...]]
    config: Annotated[ServerConfig, arg(name="")] = field(default_factory=ServerConfig)


@dataclass(frozen=True)
class Info:
    """Show an avatar's model card: what it was learnt from, when, by what, the consent, its limits.

    Attributes:
        avatar: an .avatar file.
    """

    avatar: Positional[Path]


@dataclass(frozen=True)
class Verify:
    """Read the C2PA manifest of a video or an exported page. Exit status: 0 valid, 3 altered, 4 no manifest, 2 unread.

    Attributes:
        file: the video, or the folder of the page.
        anchors: certificates (PEM) of authorities that you trust; without them every signer is called untrusted.
    """

    file: Positional[Path]
    anchors: Path | None = None


@dataclass(frozen=True)
class Revoke:
    """Take back the consent of an avatar, for good: this file and, on this machine, every copy of it is refused.

    Attributes:
        avatar: an .avatar file with a record of consent.
    """

    avatar: Positional[Path]


@dataclass(frozen=True)
class Doctor:
    """Say what this machine can do, and which optional parts and model files are there."""


Command = (
    Annotated[Capture, subcommand("capture")]
    | Annotated[Train, subcommand("train")]
    | Annotated[Say, subcommand("say")]
    | Annotated[Eval, subcommand("eval")]
    | Annotated[Demo, subcommand("demo")]
    | Annotated[Actor, subcommand("actor")]
    | Annotated[Export, subcommand("export")]
    | Annotated[Serve, subcommand("serve")]
    | Annotated[Info, subcommand("info")]
    | Annotated[Verify, subcommand("verify")]
    | Annotated[Revoke, subcommand("revoke")]
    | Annotated[Doctor, subcommand("doctor")]
)


def run(command: Capture | Train | Say | Eval | Demo | Actor | Export | Serve | Info | Verify | Revoke | Doctor) -> int:
    """Carry out one command; returns the exit status.

    Raises:
        LocutorError: whatever the user can put right.
    """
    from locutor.cli import verbs
    from locutor.cli.progress import show

    match command:
        case Capture():
            show(verbs.capture(command.video, command.out, command.config, command.consent))
        case Train():
            show(verbs.train(command.source, command.out, command.overwrite, command.config, command.consent))
        case Say():
            show(verbs.say(command.avatar, command.audio, command.text, command.voice, command.out, command.seed,
                           command.overwrite, command.marking, command.motion))  # fmt: skip
        case Eval():
            show(verbs.evaluate(command.avatars, command.out, command.performance, command.marking,
                                command.true_torso))  # fmt: skip
        case Demo():
            show(verbs.demo(command.out, command.video, command.audio, command.config, command.consent,
                            command.marking))  # fmt: skip
        case Actor():
            from locutor.actors.make_performer import Config

            config_of = Config(command.out, command.seed, 60 * command.minutes, command.voice, command.generator,
                               command.size, procedural=command.procedural, marking=command.marking)  # fmt: skip
            show(verbs.actor(config_of))
        case Export():
            from locutor.cli.export import export

            show(export(command))
        case Serve(avatars, config):
            verbs.serve(avatars, config)
        case Info(avatar):
            from locutor.cli import trust

            print(trust.info(avatar), end="")
        case Verify(file, anchors):
            from locutor.cli.verify import verify

            lines, status = verify(file, anchors)
            print("\n".join(lines))
            return status
        case Revoke(avatar):
            from locutor.cli import trust

            print(trust.revoke(avatar))
        case Doctor():
            from locutor.cli.doctor import examine

            for line in examine():
                print(line)
    return 0


def main() -> None:
    """Entry point of `locutor`."""
    # Threads that spin while they wait would steal our own pool's core; must be set before torch loads.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        sys.exit(run(tyro.cli(Command, prog="locutor", description="A talking head from a short video.")))
    except LocutorError as error:
        print(f"locutor: {error}", file=sys.stderr)
        sys.exit(2)
    except BrokenPipeError:
        # Whoever read our lines has gone; without this, Python complains once more while it closes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except KeyboardInterrupt:
        print("locutor: stopped; what was finished is in place", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    main()

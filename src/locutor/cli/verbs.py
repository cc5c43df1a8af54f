"""What the verbs do. Each is a stream of events."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib import resources
from pathlib import Path

from locutor.actors.make_performer import FILM, Config, make_performer
from locutor.avatar.avatar import Avatar
from locutor.avatar.bundle import load_avatar
from locutor.capture.config import CaptureConfig
from locutor.capture.film import capture_film
from locutor.capture.performance import META, Performance
from locutor.core.errors import ConsentError, FormatError, LocutorError, OutputError
from locutor.core.events import Event, Warned, Wrote
from locutor.core.files import atomic_path, make_folder, refuse_existing
from locutor.evaluate.compare import compare
from locutor.evaluate.judge import judge
from locutor.fit.config import TrainConfig
from locutor.fit.device import training_device
from locutor.fit.trainer import FINISHED, train_avatar
from locutor.live.curves import read_curves
from locutor.live.say import say_file, say_samples
from locutor.provenance.config import MARKED, MarkConfig
from locutor.provenance.consent import Consent, read_consent
from locutor.server.config import ServerConfig
from locutor.server.serve import serve as serve_avatars
from locutor.speech.espeak import synthesize

SENTENCES = (
    "Hello, I am new here. Nobody ever recorded me saying this.",
    "The quick brown fox jumps over the lazy dog, and five big whales may appear below the moving boat.",
)


def capture(video: Path, out: Path, config: CaptureConfig, consent: Path | None = None) -> Iterator[Event]:
    """`locutor capture`: a film, or the film in a folder that `locutor actor` made."""
    film = video / FILM if (video / FILM).is_file() else video
    return capture_film(film, out, config, _consent(consent))


def _consent(path: Path | None) -> Consent | None:
    return None if path is None else read_consent(path)


def actor(config: Config) -> Iterator[Event]:
    """`locutor actor`."""
    return make_performer(config)


def train(
    source: Path, out: Path, overwrite: bool, config: TrainConfig, consent: Path | None = None
) -> Iterator[Event]:
    """`locutor train`: captures first when the source is a film."""
    refuse_existing(out, overwrite)
    training_device(config.device)
    run = out.with_suffix(".run")
    if run == out:
        raise OutputError(f"{out} is the name of the run folder", f"name the avatar {out.with_suffix('.avatar')}")
    agreed = _consent(consent)
    if source.is_dir():
        if agreed is not None:
            raise ConsentError(f"{source} is captured already", "give the consent to `locutor capture`")
        performance = Performance(source)
    else:
        folder = run / "performance"
        if not folder.exists():
            make_folder(run)
            yield from capture_film(source, folder, CaptureConfig(), agreed)
        performance = Performance(folder)
        _check_footage(performance, source)
    yield from train_avatar(performance, run, config)
    with atomic_path(out) as part:
        shutil.copyfile(run / FINISHED, part)
    yield Wrote(out, "avatar")


def _check_footage(performance: Performance, film: Path) -> None:
    if performance.meta.source != film.name:
        raise OutputError(
            f"{performance.folder} belongs to {performance.meta.source}, not to {film.name}",
            "choose another name or remove that folder",
        )


def say(
    avatar: str,
    audio: Path | None,
    text: str | None,
    voice: str,
    out: Path,
    seed: int,
    overwrite: bool,
    marking: MarkConfig = MARKED,
    motion: Path | None = None,
) -> Iterator[Event]:
    """`locutor say`: a sound file or a text, and curves that override."""
    if (audio is None) == (text is None):
        raise LocutorError(
            "say needs either a sound file or --text", 'try: locutor say demo --text "Hello." -o out.mp4'
        )
    refuse_existing(out, overwrite)
    curves = None if motion is None else read_curves(motion)
    loaded = find_avatar(avatar)
    if audio is not None:
        yield from say_file(loaded, audio, out, seed, overwrite, marking, curves)
    else:
        speech = synthesize(text or "", voice)
        yield from say_samples(
            loaded, speech.samples, speech.sample_rate, out, seed, overwrite, marking, curves, speech.phonemes
        )


def serve(avatars: tuple[str, ...], config: ServerConfig) -> None:
    """`locutor serve`: runs until it is stopped."""
    if not avatars:
        raise LocutorError("serve needs an avatar", "try: locutor serve demo")
    with ExitStack() as stack:
        serve_avatars([(Path(name).stem, stack.enter_context(avatar_path(name))) for name in avatars], config)


@contextmanager
def avatar_path(name: str) -> Iterator[Path]:
    """The file of an avatar; that of the embedded performer for `demo`."""
    if name == "demo" and not Path(name).is_file():
        with resources.as_file(_embedded() / "performer.avatar") as path:
            yield path
    else:
        yield Path(name)


def find_avatar(name: str) -> Avatar:
    """An avatar file, or the embedded performer for `demo`."""
    with avatar_path(name) as path:
        return load_avatar(path)


def evaluate(
    avatars: tuple[Path, ...],
    out: Path,
    performance: Path | None,
    marking: MarkConfig = MARKED,
    true_torso: bool = False,
) -> Iterator[Event]:
    """`locutor eval`: of one avatar, or of two that are compared; finds the footage where they were trained on."""
    match [(load_avatar(path), path) for path in avatars]:
        case [(avatar, path)]:
            yield from judge(avatar, _footage_of(avatar, path, performance), out, marking, true_torso)
        case [(a, path_a), (b, path_b)]:
            pairs = (a, _footage_of(a, path_a, performance)), (b, _footage_of(b, path_b, performance))
            yield from compare((path_a.name, path_b.name), pairs, out, marking, true_torso)
        case _:
            raise LocutorError(
                f"eval takes one avatar or two, not {len(avatars)}", "try: locutor eval me.avatar -o out"
            )


def _footage_of(avatar: Avatar, path: Path, performance: Path | None) -> Performance:
    folder = performance or Path(avatar.provenance.performance)
    if not (folder / META).is_file():
        raise FormatError(f"the footage of {path} is not at {folder}", "give the captured footage: --performance DIR")
    return Performance(folder)


def demo(
    out: Path,
    video: Path | None,
    audio: Path | None,
    config: TrainConfig,
    consent: Path | None = None,
    marking: MarkConfig = MARKED,
) -> Iterator[Event]:
    """`locutor demo`: capture or unpack, train, speak, judge; what is there already is not made again."""
    make_folder(out)
    folder, avatar, report = out / "performance", out / "avatar.avatar", out / "report"
    if not folder.exists():
        yield from (
            capture_film(video, folder, CaptureConfig(), _consent(consent)) if video else _unpack_embedded(folder)
        )
    if video is not None:
        _check_footage(Performance(folder), video)
    if not avatar.exists():
        yield from train(folder, avatar, False, config)
    if load_avatar(avatar).voice:
        yield from _speak_examples(avatar, out, audio, marking)
    else:
        yield Warned("the film has no speech to learn a voice model from: the avatar cannot speak")
    if not report.exists():
        yield from evaluate((avatar,), report, folder, marking)
    yield Warned(f"open {(report / 'report.html').resolve()} in a browser; the spoken sentences lie in {out.resolve()}")


def _speak_examples(avatar: Path, out: Path, audio: Path | None, marking: MarkConfig) -> Iterator[Event]:
    for number, sentence in enumerate(SENTENCES, 1):
        clip = out / f"sentence_{number}.mp4"
        if not clip.exists():
            yield from say(str(avatar), None, sentence, "en-us", clip, number, False, marking)
    if audio is not None:
        yield from say(str(avatar), audio, None, "", out / f"{audio.stem}.mp4", 0, True, marking)


def _unpack_embedded(folder: Path) -> Iterator[Event]:
    from locutor.capture.packed import unpack_performance

    with resources.as_file(_embedded()) as packed:
        yield from unpack_performance(packed, folder)


def _embedded() -> resources.abc.Traversable:
    return resources.files("locutor.actors") / "embedded"

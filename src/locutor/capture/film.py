"""From a film to a `Performance`: one pass over the film, two over the cut frames, and a verdict."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from jaxtyping import Float32, UInt8
from numpy import ndarray

from locutor.capture.background import check_background
from locutor.capture.config import CaptureConfig
from locutor.capture.detect import FaceLandmarker
from locutor.capture.examine import examine, lip_gap
from locutor.capture.framing import Framing
from locutor.capture.head import HeadTrack
from locutor.capture.heard import hear_classes, seconds_of_sounds, visemes_of
from locutor.capture.image_store import ImageStore, ImageStoreWriter
from locutor.capture.observe import ROWS, load_observations, observe
from locutor.capture.performance import (
    BACKGROUNDS,
    FRAMES,
    MATTES,
    META,
    PLATE,
    SOUND,
    VERSION,
    PerformanceMeta,
    TrackQuality,
    upscale_matte,
)
from locutor.capture.plate import background_keys, background_plate
from locutor.capture.report import PAGE, write_report
from locutor.capture.search import choose_framing
from locutor.capture.shots import check_footage, find_cuts
from locutor.capture.solve import HEAD, TORSO, n_train_of, solve_tracking
from locutor.capture.sound import SoundOffset, cut_sound, sound_offset
from locutor.capture.sound_check import check_sound
from locutor.capture.torso import TorsoTrack
from locutor.capture.verdict import Grade, judge_footage
from locutor.capture.workplace import resumable_folder
from locutor.core.camera import Camera
from locutor.core.clock import SAMPLE_RATE
from locutor.core.errors import MediaError
from locutor.core.events import Event, Progress, Warned, Wrote
from locutor.core.files import atomic_path
from locutor.core.motion import Motion
from locutor.media.pictures import decode_rgb, encode_png
from locutor.media.video import VideoInfo, probe_video
from locutor.provenance.consent import Consent
from locutor.provenance.revocation import require_consent
from locutor.provenance.verify import shows_nobody

FOCAL_PER_SIZE = 2.34  # about 24 degrees: a face filmed from a metre or two; not observable from the clip
MOST_PLATE_FRAMES = 120
FRAMING = "framing.json"
WORK_VERSION = 4  # of what lies in the working folder


def capture_film(film: Path, out: Path, config: CaptureConfig, consent: Consent | None = None) -> Iterator[Event]:
    """Capture a film into a performance folder; yields events, the last one is `Wrote`.

    A run that was killed or stopped goes on where it was when it is started again.

    Args:
        film: shows one person.
        out: the folder to make.
        config: settings.
        consent: what the person agreed to; goes with everything that is made of the film.

    Raises:
        ConsentError: it has expired or was revoked.
        MediaError: the film cannot be read.
        FootageError: footage that nothing can be learnt from: no face, two faces, another person after a cut, ...
        ModelFileError, MissingPartError: what tracking needs is not there.
        OutputError: `out` exists already or cannot be written.
    """
    require_consent(consent, film.name)
    with resumable_folder(out, _identity(film, config)) as folder:
        info = probe_video(film)
        config.check(info.duration_s)
        framing = _framing(film, info, config, folder)
        yield from observe(film, info, framing, config, folder)
        seen = load_observations(folder)
        cuts = find_cuts(seen)
        yield from check_footage(film, seen, cuts, ImageStore(folder / FRAMES))
        camera = Camera(framing.size, framing.size, FOCAL_PER_SIZE * framing.size, framing.size / 2, framing.size / 2)
        tracking, head, torso = yield from solve_tracking(seen, cuts, camera, folder)
        plate = _make_plate(folder, framing.size)
        heard = yield from _extract_sound(film, info, config, folder, tracking.motion)
        quality = _quality(head, torso)
        started = time.monotonic()
        yield Progress("judging the footage", 0, 1, 0.0)
        background = check_background(ImageStore(folder / FRAMES), ImageStore(folder / MATTES), plate)
        if background.camera_moves or background.changes:
            _write_backgrounds(folder, plate)
        sound = check_sound(heard.sound, lip_gap(tracking)) if heard else None
        late = (heard.offset.frames, heard.offset.confidence) if heard else None
        said = heard.seconds if heard else {}
        figures = examine(seen, framing, len(cuts), tracking, head, torso, background, sound, late, said)
        verdict = judge_footage(figures)
        write_report(folder, film.name, figures, verdict, seen, tracking, head, torso, camera)
        meta = PerformanceMeta(
            VERSION,
            film.name,
            len(seen),
            framing,
            camera,
            quality,
            heard is not None,
            config.start_s,
            float(heard.offset.correction_frames) if heard else 0.0,
            consent,
            shows_nobody(film),
        )
        for name in (ROWS, HEAD, TORSO, FRAMING):
            (folder / name).unlink(missing_ok=True)
        meta.save(folder / META)
        yield Progress("judging the footage", 1, 1, time.monotonic() - started, _quality_note(quality))
    for finding in verdict.findings:
        if finding.grade != Grade.GOOD:
            yield Warned(f"{finding.what} ({finding.do})")
    yield Warned(f"the footage is {verdict.grade}; see {out / PAGE}")
    yield Wrote(out, "performance")


def _identity(film: Path, config: CaptureConfig) -> dict[str, Any]:
    """What two runs must share for one to go on with the work of the other."""
    about = film.stat() if film.is_file() else None
    return {
        "version": [VERSION, WORK_VERSION],
        "film": str(film.resolve()),
        "bytes": about.st_size if about else 0,
        "changed_ns": about.st_mtime_ns if about else 0,
        "config": dataclasses.asdict(config),
    }


def _framing(film: Path, info: VideoInfo, config: CaptureConfig, folder: Path) -> Framing:
    path = folder / FRAMING
    if path.is_file():
        return Framing(**json.loads(path.read_text()))
    with FaceLandmarker() as landmarker:
        framing = choose_framing(film, info, landmarker, config)
    with atomic_path(path) as part:
        part.write_text(json.dumps(dataclasses.asdict(framing)))
    return framing


def _make_plate(folder: Path, size: int) -> UInt8[ndarray, "H W 3"]:
    if (folder / PLATE).is_file():
        return decode_rgb((folder / PLATE).read_bytes())
    frames, mattes = ImageStore(folder / FRAMES), ImageStore(folder / MATTES)
    n_train = n_train_of(len(frames))
    chosen = np.unique(np.linspace(0, n_train - 1, min(n_train, MOST_PLATE_FRAMES)).astype(int))
    plate = background_plate((frames.rgb(int(k)), upscale_matte(mattes.grey(int(k)), size)) for k in chosen)
    with atomic_path(folder / PLATE) as part:
        part.write_bytes(encode_png(plate))
    return plate


def _write_backgrounds(folder: Path, plate: UInt8[ndarray, "H W 3"]) -> None:
    """Keys of a background that one plate cannot show."""
    if (folder / BACKGROUNDS).is_file():
        return
    frames, mattes = ImageStore(folder / FRAMES), ImageStore(folder / MATTES)
    with ImageStoreWriter(folder / BACKGROUNDS, lossless=False) as writer:
        for key in background_keys(
            lambda k: (frames.rgb(k), upscale_matte(mattes.grey(k), len(plate))), len(frames), plate
        ):
            writer.append(key)


@dataclass(frozen=True)
class _Heard:
    """The sound that goes with the frames, how late it was, and for how long each sound is heard in it."""

    sound: Float32[ndarray, " n"]
    offset: SoundOffset
    seconds: dict[str, float]


def _extract_sound(
    film: Path, info: VideoInfo, config: CaptureConfig, folder: Path, motion: Motion
) -> Generator[Event, None, _Heard | None]:
    """Write the sound, moved so that it meets the lips when the offset is clear."""
    if not info.has_audio:
        yield Warned(f"{film.name} has no sound track: the avatar will have no voice model of its own")
        return None
    started = time.monotonic()
    yield Progress("reading the sound", 0, 1, 0.0)
    try:
        sound = cut_sound(film, config.start_s, len(motion))
    except MediaError as error:
        yield Warned(f"the sound cannot be used: {error.what}")
        return None
    classes = hear_classes(sound)
    offset = sound_offset(visemes_of(classes), motion)
    if offset.correction_frames:
        sound = cut_sound(film, config.start_s + offset.correction_s, len(motion))
        late = "late" if offset.frames > 0 else "early"
        yield Warned(f"the sound comes {abs(offset.frames) * 40:.0f} ms too {late}; this is corrected")
    with atomic_path(folder / SOUND) as part:
        soundfile.write(part, sound, SAMPLE_RATE)
    yield Progress("reading the sound", 1, 1, time.monotonic() - started)
    return _Heard(sound, offset, seconds_of_sounds(classes))


def _quality(head: HeadTrack, torso: TorsoTrack) -> TrackQuality:
    return TrackQuality(
        round(head.residual_flow_px, 4),
        round(head.residual_flow_landmarks_px, 4),
        round(float(torso.inlier_share.mean()), 4),
        round(float((torso.inlier_share == 0).mean()), 4),
    )


def _quality_note(quality: TrackQuality) -> str:
    return (
        f"residual flow {quality.residual_flow_px:.2f} px (landmarks alone {quality.residual_flow_landmarks_px:.2f}), "
        f"torso inliers {quality.torso_inlier_share:.0%}"
    )

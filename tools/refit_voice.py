"""Learn an avatar's voice model again from the performance it was trained on, and leave the rest as it is.

    python tools/refit_voice.py NAME.avatar PERFORMANCE

For avatars whose voice model is of an earlier version, and for the embedded one when the phonetic encoder changes:

    python tools/refit_voice.py src/locutor/actors/embedded/performer.avatar src/locutor/actors/embedded
"""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

from locutor.avatar.bundle import load_avatar, read_preview, save_avatar
from locutor.capture.packed import VIDEO
from locutor.capture.performance import META, SOUND, TRACKING, PerformanceMeta, Tracking
from locutor.capture.sound import cut_sound
from locutor.core.clock import FPS, SAMPLES_PER_FRAME
from locutor.drive.voice_fit import fit_voice
from locutor.media.audio import read_audio


def main() -> None:
    bundle, source = Path(sys.argv[1]), Path(sys.argv[2])
    avatar, meta = load_avatar(bundle), PerformanceMeta.load(source / META)
    if (source / SOUND).is_file():
        sound = read_audio(source / SOUND)
    else:  # the packed form
        sound = cut_sound(source / VIDEO, meta.start_s + meta.sound_offset_frames / FPS, meta.n_frames)
    n_train = avatar.provenance.n_train_frames
    model = fit_voice(sound[: n_train * SAMPLES_PER_FRAME], Tracking.load(source / TRACKING).motion[:n_train])
    save_avatar(dataclasses.replace(avatar, voice=model.to_tensors()), bundle, read_preview(bundle))
    print(f"{bundle}: voice of {n_train} frames, {bundle.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()

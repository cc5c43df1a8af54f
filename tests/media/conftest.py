"""Small videos and tones, written on the spot."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest


def grey_level(index: int) -> int:
    """The grey that tells frame `index` of a `make_video` film."""
    return 16 + 4 * (index % 50)


@pytest.fixture
def make_video(tmp_path: Path) -> Callable[..., Path]:
    """Film whose frame k is of one grey, `grey_level(k)`, optionally with a tone."""

    def make(
        name: str = "film.mp4",
        n_frames: int = 50,
        rate: Fraction = Fraction(25),
        size: tuple[int, int] = (48, 64),
        codec: str = "libx264",
        tone_rate: int | None = None,
        pts: list[int] | None = None,
    ) -> Path:
        path = tmp_path / name
        with av.open(str(path), "w", options={"movflags": "+faststart"} if name.endswith("mp4") else {}) as out:
            video = out.add_stream(codec, rate=rate)
            video.height, video.width, video.pix_fmt = *size, "yuv420p"
            video.bit_rate = 4_000_000
            video.time_base = video.codec_context.time_base = 1 / rate
            audio = out.add_stream("aac", rate=tone_rate, layout="stereo") if tone_rate else None
            for k in range(n_frames):
                image = np.full((*size, 3), grey_level(k), np.uint8)
                image[: size[0] // 2, : size[1] // 2] = (200, 40, 40) if k % 2 else (40, 40, 200)
                frame = av.VideoFrame.from_ndarray(image, "rgb24")
                frame.pts, frame.time_base = (pts[k] if pts else k), 1 / rate
                out.mux(video.encode(frame))
            out.mux(video.encode(None))
            if audio:
                n = int(n_frames / rate * tone_rate)
                tone = 0.25 * np.sin(2 * np.pi * 440 * np.arange(n) / tone_rate)
                sound = av.AudioFrame.from_ndarray(np.stack([tone, tone]).astype(np.float32), "fltp", "stereo")
                sound.sample_rate, sound.pts, sound.time_base = tone_rate, 0, Fraction(1, tone_rate)
                out.mux(audio.encode(sound))
                out.mux(audio.encode(None))
        return path

    return make

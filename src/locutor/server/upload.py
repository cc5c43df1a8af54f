"""Sound files that visitors send: limited in bytes, and in seconds however well they were compressed."""

from __future__ import annotations

import asyncio
import tempfile
import warnings
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from locutor.core.errors import MediaError
from locutor.live.sound_line import KEPT_RATE
from locutor.media.audio import read_audio_chunks
from locutor.server.config import ServerLimits
from locutor.server.refusal import RefusalError


async def received_sound(body: AsyncIterator[bytes], limits: ServerLimits) -> Float32[ndarray, " n"]:
    """The sound of a file that comes in pieces, at `KEPT_RATE`.

    Raises:
        RefusalError: the file is too large or too long, or holds no sound that can be read.
    """
    with tempfile.NamedTemporaryFile(prefix="locutor-", suffix=".sound") as file:
        n_bytes = 0
        async for piece in body:
            n_bytes += len(piece)
            if n_bytes > limits.upload_bytes:
                raise RefusalError(
                    "too_large", f"more than {limits.upload_bytes} bytes", "send a shorter or compressed file"
                )
            file.write(piece)
        file.flush()
        return await asyncio.to_thread(_decoded, Path(file.name), limits.upload_s)


def _decoded(path: Path, most_s: float) -> Float32[ndarray, " n"]:
    chunks: list[ndarray] = []
    n_samples = 0
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for chunk in read_audio_chunks(path, KEPT_RATE):
                n_samples += len(chunk)
                if n_samples > most_s * KEPT_RATE:
                    raise RefusalError("too_large", f"more than {most_s:.0f} s of sound", "send it in shorter pieces")
                chunks.append(chunk)
    except MediaError as error:
        # Without the error's own words: they name a temporary file of this machine.
        raise RefusalError("unreadable_sound", "the file has no sound that can be read", "send WAV, MP3 or FLAC") \
            from error  # fmt: skip
    return np.concatenate(chunks)

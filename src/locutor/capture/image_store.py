"""A file of compressed images with random access: frames are read when needed, never all at once."""

from __future__ import annotations

import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from numpy import ndarray

from locutor.core.errors import FormatError, disk_full
from locutor.media.pictures import decode_grey, decode_rgb, encode_jpeg, encode_png

MAGIC = b"locutor-images-1"
# Quality 98 without chroma subsampling stays near 47 dB: far below what an avatar's error is.
JPEG_QUALITY = 98


class ImageStoreWriter:
    """Appends images to a file; `close` writes the index and gives the file its name.

    Layout: magic, then the encoded images one after another, then their offsets (uint64), then their count.
    """

    def __init__(self, path: Path, lossless: bool) -> None:
        self._path = path
        self._part = path.with_name(path.name + ".part")
        self._lossless = lossless
        self._file = self._part.open("wb")
        self._file.write(MAGIC)
        self._offsets = [self._file.tell()]

    def append(self, image: UInt8[ndarray, "H W *channels"]) -> None:
        """Add an RGB or grey image."""
        encoded = encode_png(image) if self._lossless else encode_jpeg(image, JPEG_QUALITY, full_chroma=True)
        self._write(encoded)
        self._offsets.append(self._file.tell())

    def close(self) -> None:
        """Finish the file."""
        self._write(struct.pack(f"<{len(self._offsets)}QQ", *self._offsets, len(self._offsets)))
        self._file.close()
        self._part.replace(self._path)

    def discard(self) -> None:
        """Give up and leave nothing behind."""
        self._file.close()
        self._part.unlink(missing_ok=True)

    def _write(self, data: bytes) -> None:
        try:
            self._file.write(data)
        except OSError as error:
            self.discard()
            raise disk_full(self._path) from error


class ImageStore:
    """Random access to a file that `ImageStoreWriter` wrote."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        self._lock = threading.Lock()
        size = path.stat().st_size
        if self._file.read(len(MAGIC)) != MAGIC or size < len(MAGIC) + 8:
            raise FormatError(f"{path} is not an image store", "run `locutor capture` again")
        self._file.seek(size - 8)
        (count,) = struct.unpack("<Q", self._file.read(8))
        self._file.seek(size - 8 - 8 * count)
        self._offsets = np.frombuffer(self._file.read(8 * count), "<u8").astype(np.int64)

    def __len__(self) -> int:
        return len(self._offsets) - 1

    def rgb(self, k: int) -> UInt8[ndarray, "H W 3"]:
        """Image k in colour."""
        return decode_rgb(self._read(k))

    def grey(self, k: int) -> UInt8[ndarray, "H W"]:
        """Image k in grey."""
        return decode_grey(self._read(k))

    def all_grey(self) -> Iterator[UInt8[ndarray, "H W"]]:
        """All images in order, in grey."""
        return (self.grey(k) for k in range(len(self)))

    def _read(self, k: int) -> bytes:
        start, end = self._offsets[k], self._offsets[k + 1]
        with self._lock:  # one file position for all threads
            self._file.seek(start)
            return self._file.read(end - start)

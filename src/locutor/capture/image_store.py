"""A file of compressed images with random access: frames are read when needed, never all at once."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8
from numpy import ndarray

from locutor.core.errors import FormatError, disk_full

MAGIC = b"locutor-images-1"
# Quality 98 without chroma subsampling stays near 47 dB: far below what an avatar's error is.
JPEG = (cv2.IMWRITE_JPEG_QUALITY, 98, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444)
PNG = (cv2.IMWRITE_PNG_COMPRESSION, 6)


class ImageStoreWriter:
    """Appends images to a file; `close` writes the index and gives the file its name.

    Layout: magic, then the encoded images one after another, then their offsets (uint64), then their count.
    """

    def __init__(self, path: Path, extension: str) -> None:
        self._path = path
        self._part = path.with_name(path.name + ".part")
        self._extension = extension
        self._options = JPEG if extension == ".jpg" else PNG
        self._file = self._part.open("wb")
        self._file.write(MAGIC)
        self._offsets = [self._file.tell()]

    def append(self, image: UInt8[ndarray, "H W *channels"]) -> None:
        """Add an RGB or grey image."""
        encoded = cv2.imencode(self._extension, image[..., ::-1] if image.ndim == 3 else image, self._options)[1]
        self._write(encoded.tobytes())
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
        return np.ascontiguousarray(self._decode(k, cv2.IMREAD_COLOR)[..., ::-1])

    def grey(self, k: int) -> UInt8[ndarray, "H W"]:
        """Image k in grey."""
        return self._decode(k, cv2.IMREAD_GRAYSCALE)

    def all_grey(self) -> Iterator[UInt8[ndarray, "H W"]]:
        """All images in order, in grey."""
        return (self.grey(k) for k in range(len(self)))

    def _decode(self, k: int, flags: int) -> ndarray:
        start, end = self._offsets[k], self._offsets[k + 1]
        self._file.seek(start)
        return cv2.imdecode(np.frombuffer(self._file.read(end - start), np.uint8), flags)

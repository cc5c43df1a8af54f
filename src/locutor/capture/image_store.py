"""A file of compressed images with random access: frames are read when needed, never all at once."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

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

    As a context manager it closes when the block ends well, and leaves nothing behind otherwise.
    Layout: magic, then the encoded images one after another, then their offsets (uint64), then their count.
    """

    def __init__(self, path: Path, lossless: bool) -> None:
        self._path = path
        self._part = path.with_name(path.name + ".part")
        self._lossless = lossless
        self._file = self._part.open("wb")
        self._file.write(MAGIC)
        self._offsets = [self._file.tell()]

    def __enter__(self) -> ImageStoreWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.discard()

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
    """Random access to a file that `ImageStoreWriter` wrote. Threads may share it: no handle outlives a read.

    Raises:
        FormatError: the file is missing, damaged, or something else.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        if not path.is_file():
            raise FormatError(f"{path} is missing", "run `locutor capture` again")
        data_end = path.stat().st_size - 8
        with path.open("rb") as file:
            if file.read(len(MAGIC)) != MAGIC or data_end < len(MAGIC):
                raise FormatError(f"{path} is not an image store", "run `locutor capture` again")
            file.seek(data_end)
            (count,) = struct.unpack("<Q", file.read(8))
            index_start = data_end - 8 * count
            if not count or index_start < len(MAGIC):
                raise self._damaged()
            file.seek(index_start)
            self._offsets = np.frombuffer(file.read(8 * count), "<u8").astype(np.int64)
        if self._offsets[0] != len(MAGIC) or self._offsets[-1] != index_start:
            raise self._damaged()

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

    def _damaged(self) -> FormatError:
        return FormatError(f"{self._path} is damaged or cut off", "run `locutor capture` again")

    def _read(self, k: int) -> bytes:
        start, end = self._offsets[k], self._offsets[k + 1]
        with self._path.open("rb") as file:
            file.seek(start)
            return file.read(end - start)

"""A file of compressed images with random access: frames are read when needed, never all at once."""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

import numpy as np
from jaxtyping import UInt8
from numpy import ndarray

from locutor.core.errors import FormatError
from locutor.core.files import output_error
from locutor.media.pictures import decode_grey, decode_rgb, encode_jpeg, encode_png

MAGIC = b"locutor-images-1"
# Quality 98 without chroma subsampling stays near 47 dB: far below what an avatar's error is.
JPEG_QUALITY = 98


class ImageStoreWriter:
    """Appends images to a file; `close` writes the index and gives the file its name.

    As a context manager it closes when the block ends well, and leaves nothing behind otherwise.
    Layout: magic, then the encoded images one after another, then their offsets (uint64), then their count.

    Args:
        path: the file to make.
        lossless: PNG, for pictures of few levels; else JPEG.
        ends: where the images of an interrupted writer end in the file, to go on after the last of them
            (`suspend` and `end` give them); whatever was written later is cut off.
    """

    def __init__(self, path: Path, lossless: bool, ends: Sequence[int] = ()) -> None:
        self._path = path
        self._part = part_of(path)
        self._lossless = lossless
        self._offsets = [len(MAGIC), *ends]
        self._file = self._part.open("r+b" if ends else "w+b")
        if ends:
            self._file.truncate(ends[-1])
            self._file.seek(ends[-1])
        else:
            self._file.write(MAGIC)

    def __enter__(self) -> ImageStoreWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self.close()
        finally:
            self.discard()

    def append(self, image: UInt8[ndarray, "H W *channels"]) -> None:
        """Add an RGB or grey image."""
        self.append_encoded(self.encode(image))

    def encode(self, image: UInt8[ndarray, "H W *channels"]) -> bytes:
        """The image as it will lie in the file; may be called from any thread."""
        return encode_png(image, flat=True) if self._lossless else encode_jpeg(image, JPEG_QUALITY, full_chroma=True)

    def append_encoded(self, encoded: bytes) -> None:
        """Add what `encode` gave."""
        self._write(encoded)
        self._offsets.append(self._offsets[-1] + len(encoded))

    @property
    def end(self) -> int:
        """Where the last image ends in the file."""
        return self._offsets[-1]

    def flush(self) -> None:
        """Hand everything so far to the operating system."""
        try:
            self._file.flush()
        except OSError as error:
            raise output_error(error, self._path) from error

    def suspend(self) -> None:
        """Stop for now: what was appended stays in the unfinished file."""
        with contextlib.suppress(OSError):  # a full disk: the next writer cuts the rest off
            self._file.close()

    def close(self) -> None:
        """Finish the file."""
        self._write(struct.pack(f"<{len(self._offsets)}QQ", *self._offsets, len(self._offsets)))
        self.flush()
        self._file.close()
        self._part.replace(self._path)

    def discard(self) -> None:
        """Leave nothing unfinished behind."""
        with contextlib.suppress(OSError):  # closing flushes, and the disk may be full
            self._file.close()
        self._part.unlink(missing_ok=True)

    def _write(self, data: bytes) -> None:
        try:
            self._file.write(data)
        except OSError as error:
            raise output_error(error, self._path) from error


def part_of(path: Path) -> Path:
    """Where a writer keeps the unfinished file."""
    return path.with_name(path.name + ".part")


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
        # Each by itself too: differences of damaged offsets can wrap around.
        in_order = (np.diff(self._offsets) >= 0).all() and self._offsets.min() >= 0 and self._offsets.max() <= data_end
        if self._offsets[0] != len(MAGIC) or self._offsets[-1] != index_start or not in_order:
            raise self._damaged()

    def __len__(self) -> int:
        return len(self._offsets) - 1

    def rgb(self, k: int) -> UInt8[ndarray, "H W 3"]:
        """Image k in colour."""
        return decode_rgb(self._read(k))

    def grey(self, k: int) -> UInt8[ndarray, "H W"]:
        """Image k in grey."""
        return decode_grey(self._read(k))

    def _damaged(self) -> FormatError:
        return FormatError(f"{self._path} is damaged or cut off", "run `locutor capture` again")

    def _read(self, k: int) -> bytes:
        start, end = self._offsets[k], self._offsets[k + 1]
        with self._path.open("rb") as file:
            file.seek(start)
            return file.read(end - start)

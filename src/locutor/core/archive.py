"""Opening zip files and npz files of unknown origin: nothing is unpacked to disk, and nothing larger than it may be."""

from __future__ import annotations

import tokenize
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy import ndarray

LARGEST = 1 << 30  # bytes that all members together may have; an hour of tracking has .3 GB, a large avatar .2
_MOST_MEMBERS = 1000


class ArchiveError(ValueError):
    """An archive that says something impossible about its contents."""


@contextmanager
def open_archive(path: Path) -> Iterator[zipfile.ZipFile]:
    """A zip file whose declared sizes are bearable. Members are read into memory, never unpacked under their names.

    `ZipFile.read` stops at the declared size, so a member cannot grow beyond what was checked here.

    Raises:
        ArchiveError: too many members, or too large (a zip bomb), or one name twice.
        zipfile.BadZipFile, OSError: not a zip file, or not readable.
    """
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        if len(members) > _MOST_MEMBERS:
            raise ArchiveError(f"{len(members)} members")
        if len({member.filename for member in members}) != len(members):
            raise ArchiveError("two members have one name")
        if (size := sum(member.file_size for member in members)) > LARGEST:
            raise ArchiveError(f"its members have {size >> 20} MB")
        yield archive


def load_arrays(path: Path) -> dict[str, ndarray]:
    """Every array of an npz file. Objects (pickles) are refused: they would run code.

    Raises:
        ArchiveError: an array says that it is larger than the bytes that are there.
        zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, ...: damaged.
    """
    with open_archive(path) as archive:
        return {member.filename.removesuffix(".npy"): _array(archive, member) for member in archive.infolist()}


def _array(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> ndarray:
    with archive.open(member) as file:
        version = np.lib.format.read_magic(file)
        read_header = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
        if version not in read_header:
            raise ArchiveError(f"{member.filename} has an unknown version of the npy format")
        try:
            shape, fortran, dtype = read_header[version](file)
        except (tokenize.TokenError, SyntaxError, MemoryError, RecursionError) as error:
            raise ArchiveError(f"{member.filename} has a damaged header") from error
        if dtype.hasobject:
            raise ArchiveError(f"{member.filename} holds objects")
        data = file.read()
    # NumPy makes room for what the header says before it looks for the bytes; here the bytes come first.
    if any(n < 0 for n in shape) or _product(shape) * dtype.itemsize != len(data):
        raise ArchiveError(f"{member.filename} does not hold the {shape} values it announces")
    array = np.frombuffer(data, dtype).reshape(shape, order="F" if fortran else "C")
    return array.copy()


def _product(shape: tuple[int, ...]) -> int:
    n = 1
    for size in shape:
        n *= int(size)
    return n

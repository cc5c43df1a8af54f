"""Writing files so that a failure leaves nothing half-written behind."""

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from locutor.core.errors import OutputError, disk_full
from locutor.core.lock import exclusive

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def refuse_existing(path: Path, overwrite: bool) -> None:
    """Check that `path` may be written.

    Raises:
        OutputError: it exists and `overwrite` is False, or it is a folder where a file is to go.
    """
    if path.is_dir():
        raise OutputError(f"{path} is a folder", "name a file in it")
    if path.exists() and not overwrite:
        raise OutputError(f"{path} exists already", "choose another name or allow overwriting (--overwrite)")


def output_error(error: OSError, path: Path) -> OutputError:
    """The typed error for an operating-system error met while writing `path`."""
    if error.errno in _FULL:
        return disk_full(path)
    return OutputError(f"cannot write {path}: {error.strerror or error}", "choose a folder that can be written to")


def refuse_existing_folder(path: Path) -> None:
    """Check that an output folder of this name may be made: nothing is ever written into one that exists.

    Raises:
        OutputError: it exists.
    """
    if path.exists():
        raise OutputError(f"the output folder {path} exists already", "choose another name or remove it")


def make_folder(path: Path) -> None:
    """Make a folder, with those above it, unless it is there.

    Raises:
        OutputError: it cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise output_error(error, path) from error


@contextmanager
def atomic_path(path: Path, wait: bool = False) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it to `path` on success, remove it on failure.

    The temporary keeps the suffix, and may become a file or a folder. A file at `path` is replaced; check
    with `refuse_existing` first. What a killed process left under the same name is removed, so that litter cannot
    grow.

    Args:
        path: the file or folder to make.
        wait: until another process that writes `path` is done, instead of refusing.

    Raises:
        OutputError: the folder does not exist or cannot be written to, the disk is full, or another process is
            writing `path`.
    """
    temporary = path.with_name(f".{path.stem}.writing{path.suffix}")
    try:
        if not path.parent.is_dir():
            raise OutputError(f"the folder {path.parent} does not exist", "make it first or choose another place")
        with exclusive(path, wait):
            _remove(temporary)
            try:
                yield temporary
                temporary.replace(path)
            finally:
                _remove(temporary)
    except OSError as error:
        raise output_error(error, path) from error


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)

"""One process at a time: a lock that ends with the process, however it ends."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from locutor.core.errors import OutputError

try:
    import fcntl
except ImportError:  # Windows: nothing keeps two processes out of one place there
    fcntl = None  # type: ignore[assignment]


def hold(file: IO[str], what: Path, wait: bool = False) -> None:
    """Lock an open file until it is closed.

    Args:
        file: open for writing; its contents do not matter.
        what: what the lock is about, for the message.
        wait: until the other process is done, instead of refusing.

    Raises:
        OutputError: another process, or another part of this one, holds it.
    """
    if fcntl is None:
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise OutputError(f"another process is making {what}", "wait for it or choose another name") from error


@contextmanager
def exclusive(what: Path, wait: bool = False) -> Iterator[None]:
    """Be the only one who makes `what`, by a hidden lock file beside it.

    A process that is killed leaves the empty lock file, unlocked; the next one to make `what` takes it over and
    removes it.

    Args:
        what: the file or folder that is made.
        wait: until the other process is done, instead of refusing.

    Raises:
        OutputError: another process is at it.
        OSError: the folder does not exist or cannot be written to.
    """
    path = what.with_name(f".{what.name}.lock")
    while True:
        with path.open("a") as file:
            hold(file, what, wait)
            if not _is_at(file, path):  # its last holder removed it between our opening and our locking
                continue
            try:
                yield
            finally:
                path.unlink(missing_ok=True)
        return


def _is_at(file: IO[str], path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False

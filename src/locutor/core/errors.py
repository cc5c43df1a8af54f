"""The few errors a user can meet. Each says what is wrong, where, and what to do."""

from pathlib import Path


class LocutorError(Exception):
    """Base of every error that the command line shows as one sentence instead of a traceback.

    Args:
        what: what is wrong, naming the file or the frames.
        do: what the reader can do about it.
    """

    def __init__(self, what: str, do: str) -> None:
        super().__init__(f"{what}\n  -> {do}")
        self.what = what
        self.do = do


class MediaError(LocutorError):
    """A video or sound file that cannot be read, or lacks the stream that is needed."""


class FootageError(LocutorError):
    """Readable footage that an avatar cannot be learnt from: no face, two faces, too short."""


class ModelFileError(LocutorError):
    """A model file that must be fetched or placed by hand is missing or altered."""


class FormatError(LocutorError):
    """An `.avatar` bundle or a performance folder that this version cannot read."""


class OutputError(LocutorError):
    """A place that cannot be written to: it exists already, is not allowed, or the disk is full."""


class ConsentError(LocutorError):
    """A record of consent that is not whole, has expired, or was revoked."""


class MarkError(LocutorError):
    """A mark of origin that cannot be made or read: a wrong certificate, a damaged file."""


class MissingPartError(LocutorError):
    """An optional part (an extra, a program) that this call needs and that is not installed."""


def disk_full(path: Path) -> OutputError:
    """The error for a write that ran out of space (errno ENOSPC) at `path`."""
    return OutputError(
        f"the disk that holds {path} is full",
        "free some space or choose another folder; what was finished before is still in place",
    )

"""The mark of an exported page: in its background picture, with the hashes of all its other files."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path

from locutor.core.text import one_line
from locutor.provenance.mark import Mark
from locutor.provenance.verify import State, Verdict, verify

PICTURE = Path("avatar", "plate.jpg")  # every page has it, and it is of a kind that C2PA can sign
_PIECE = 1 << 20  # bytes


def seal_page(folder: Path, mark: Mark) -> None:
    """Sign a finished page in place; it must lie whole in `folder`.

    Raises:
        MarkError, OutputError: as `Mark.seal`.
    """
    files = {name: _sha256(folder / name) for name in _names(folder)}
    dataclasses.replace(mark, files=files).seal(folder / PICTURE)


def verify_page(folder: Path, anchors: Path | None = None) -> Verdict:
    """Check the mark of a page: of its picture, then every file that the mark names.

    What lies beside them (a host's own files) is nobody's claim and is let be.

    Raises:
        MarkError: the folder or the anchors cannot be read, or this is no exported page.
    """
    verdict = verify(folder / PICTURE, anchors)
    if verdict.state is not State.VALID:
        return verdict
    changed = sorted(name for name, digest in verdict.files.items() if _found(folder, name) != digest)
    if not changed and verdict.files:
        return verdict
    failures = [f"{one_line(name)} is not as it was signed" for name in changed[:5]]
    return dataclasses.replace(
        verdict, state=State.ALTERED, failures=tuple(failures or ["its mark names no files of a page"])
    )


def _names(folder: Path) -> list[str]:
    paths = (path.relative_to(folder) for path in sorted(folder.rglob("*")) if path.is_file())
    return [path.as_posix() for path in paths if path != PICTURE]


def _found(folder: Path, name: str) -> str:
    """The hash of a file whose name a stranger may have chosen; empty where it is not inside the folder."""
    path = (folder / name).resolve()
    return _sha256(path) if path.is_relative_to(folder.resolve()) and path.is_file() else ""


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()

"""`locutor verify`: without the heavy packages, so that a folder of films is checked quickly."""

from __future__ import annotations

from pathlib import Path

from locutor.core.text import one_line
from locutor.provenance.page import verify_page
from locutor.provenance.verify import EXIT_CODES
from locutor.provenance.verify import verify as verify_file


def verify(file: Path, anchors: Path | None) -> tuple[list[str], int]:
    """Lines to print and the exit status."""
    verdict = verify_page(file, anchors) if file.is_dir() else verify_file(file, anchors)
    first, *rest = verdict.lines()
    return [f"{one_line(file)}: {first}", *(f"  {line}" for line in rest)], EXIT_CODES[verdict.state]

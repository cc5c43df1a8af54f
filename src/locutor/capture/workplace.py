"""The hidden folder beside the output in which a capture grows: a killed run goes on there."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from locutor.core.errors import LocutorError, OutputError
from locutor.core.files import output_error, refuse_existing_folder
from locutor.core.lock import hold

JOB = "job.json"


@contextmanager
def resumable_folder(out: Path, identity: dict[str, Any]) -> Iterator[Path]:
    """Yield the working folder of `out`; it gets its name when the block ends well.

    What an earlier run of the same identity left there is kept, anything else removed. A refusal (a typed error
    about the footage) removes the folder; an interruption or a full disk leaves it for the next run.

    Args:
        out: the folder to make.
        identity: JSON-ready facts that two runs must share for one to go on with the other's work.

    Raises:
        OutputError: `out` exists, cannot be written, or is being made by another process.
    """
    refuse_existing_folder(out)
    part = out.with_name(f".{out.name}.part")
    if not out.parent.is_dir():
        raise OutputError(f"the folder {out.parent} does not exist", "make it first or choose another place")
    try:
        part.mkdir(exist_ok=True)
        with (part / JOB).open("a+") as job:
            hold(job, out)
            _claim(part, job, identity)
            yield part
        (part / JOB).unlink()
        part.replace(out)
    except OSError as error:
        raise output_error(error, out) from error
    except OutputError:
        raise
    except LocutorError:
        shutil.rmtree(part, ignore_errors=True)
        raise


def _claim(part: Path, job: IO[str], identity: dict[str, Any]) -> None:
    """Keep the earlier work when it is of the same identity; begin anew otherwise."""
    job.seek(0)
    try:
        same = json.loads(job.read()) == identity
    except ValueError:
        same = False
    if same:
        return
    for path in part.iterdir():
        if path.name != JOB:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    job.seek(0)
    job.truncate()
    job.write(json.dumps(identity))
    job.flush()

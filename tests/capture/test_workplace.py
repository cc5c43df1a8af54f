"""The folder in which a capture grows."""

import subprocess
import sys

import pytest

from locutor.capture.workplace import resumable_folder
from locutor.core.errors import FootageError, OutputError

JOB = {"film": "a.mp4", "size": 512}


def stopped(out, error: type[BaseException] | BaseException = KeyboardInterrupt) -> None:
    """A run that writes a file and ends with an error."""
    with resumable_folder(out, JOB) as folder:
        (folder / "done").write_text("work")
        raise error


def test_finished_work_gets_its_name(tmp_path):
    with resumable_folder(tmp_path / "out", JOB) as folder:
        (folder / "done").write_text("work")
        assert not (tmp_path / "out").exists()
    assert [p.name for p in tmp_path.rglob("*")] == ["out", "done"]


def test_an_interrupted_run_finds_its_work_again(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        stopped(tmp_path / "out")
    assert not (tmp_path / "out").exists()
    with resumable_folder(tmp_path / "out", JOB) as folder:
        assert (folder / "done").read_text() == "work"


def test_another_job_begins_anew(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        stopped(tmp_path / "out")
    with resumable_folder(tmp_path / "out", JOB | {"size": 256}) as folder:
        assert not (folder / "done").exists()
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_refused_footage_leaves_nothing(tmp_path):
    with pytest.raises(FootageError):
        stopped(tmp_path / "out", FootageError("no face", "another film"))
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_keeps_what_is_there(tmp_path):
    with pytest.raises(OutputError, match="full"):
        stopped(tmp_path / "out", OSError(28, "No space left on device"))
    assert (tmp_path / ".out.part" / "done").exists()


def test_two_runs_do_not_share_a_folder(tmp_path):
    code = f"""
from pathlib import Path
from locutor.capture.workplace import resumable_folder
with resumable_folder(Path({str(tmp_path / "out")!r}), {JOB!r}):
    print("there", flush=True)
    input()
"""
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout.readline() == b"there\n"
        with pytest.raises(OutputError, match="another process"), resumable_folder(tmp_path / "out", JOB):
            pass
        other.kill()
    with resumable_folder(tmp_path / "out", JOB):
        pass  # the lock has ended with the process


def test_places_that_cannot_be_written(tmp_path):
    with pytest.raises(OutputError, match="does not exist"), resumable_folder(tmp_path / "no" / "out", JOB):
        pass
    (tmp_path / "out").mkdir()
    with pytest.raises(OutputError, match="exists already"), resumable_folder(tmp_path / "out", JOB):
        pass

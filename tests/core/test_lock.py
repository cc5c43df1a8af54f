"""Two processes and one place."""

import subprocess
import sys

import pytest

from locutor.core.errors import OutputError
from locutor.core.files import atomic_path
from locutor.core.lock import exclusive


def other_process(path) -> subprocess.Popen:
    """A process that has begun to write `path` and waits."""
    code = f"""
from pathlib import Path
from locutor.core.files import atomic_path
with atomic_path(Path({str(path)!r})) as part:
    part.write_text("other")
    print("there", flush=True)
    input()
"""
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"there\n"
    return process


def test_two_do_not_write_one_file(tmp_path):
    path = tmp_path / "a.txt"
    with other_process(path) as other:
        with pytest.raises(OutputError, match=r"another process is making .*a\.txt"), atomic_path(path):
            pass
        other.communicate(b"\n")
    assert path.read_text() == "other"
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_killed_process_left_is_taken_over(tmp_path):
    path = tmp_path / "a.txt"
    for _ in range(3):
        with other_process(path) as other:
            other.kill()
        left = {p.name for p in tmp_path.iterdir()}
        assert left == {".a.txt.lock", ".a.writing.txt"}  # the same two every time: litter does not grow
    with atomic_path(path) as part:
        assert not part.exists()
        part.write_text("mine")
    assert path.read_text() == "mine"
    assert list(tmp_path.iterdir()) == [path]


def test_the_lock_is_free_again(tmp_path):
    for _ in range(2):
        with exclusive(tmp_path / "a"):
            with pytest.raises(OutputError, match="another process"), exclusive(tmp_path / "a"):
                pass
            with exclusive(tmp_path / "b"):
                pass
    assert list(tmp_path.iterdir()) == []


def test_one_may_wait_for_the_other(tmp_path):
    path = tmp_path / "a.txt"
    with other_process(path) as other:
        other.stdin.write(b"\n")
        other.stdin.flush()
        with atomic_path(path, wait=True) as part:
            part.write_text("after")
    assert path.read_text() == "after"

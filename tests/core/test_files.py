import errno

import pytest

from locutor.core.errors import OutputError
from locutor.core.files import atomic_path, refuse_existing


def test_success_renames(tmp_path):
    path = tmp_path / "a.txt"
    with atomic_path(path) as temporary:
        assert temporary.suffix == ".txt"
        temporary.write_text("one")
        assert not path.exists()
    assert path.read_text() == "one"
    assert list(tmp_path.iterdir()) == [path]


def test_failure_keeps_the_old_file_and_removes_the_temporary(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")

    def write_half() -> None:
        with atomic_path(path) as temporary:
            temporary.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write_half()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_may_be_written(tmp_path):
    with atomic_path(tmp_path / "run") as temporary:
        temporary.mkdir()
        (temporary / "x").write_text("1")
    assert (tmp_path / "run" / "x").read_text() == "1"

    def make_and_fail() -> None:
        with atomic_path(tmp_path / "other") as temporary:
            temporary.mkdir()
            raise KeyError

    with pytest.raises(KeyError):
        make_and_fail()
    assert not (tmp_path / "other").exists()


def test_full_disk_and_other_errors(tmp_path):
    with pytest.raises(OutputError, match="disk that holds"), atomic_path(tmp_path / "a"):
        raise OSError(errno.ENOSPC, "no space")
    with pytest.raises(OutputError, match="does not exist"), atomic_path(tmp_path / "no" / "a"):
        pass
    with pytest.raises(OutputError, match="cannot write"), atomic_path(tmp_path / "a"):
        raise PermissionError(errno.EACCES, "denied")


def test_refuse_existing(tmp_path):
    path = tmp_path / "a"
    refuse_existing(path, overwrite=False)
    path.write_text("x")
    refuse_existing(path, overwrite=True)
    with pytest.raises(OutputError, match="exists already"):
        refuse_existing(path, overwrite=False)
    with pytest.raises(OutputError, match="is a folder"):
        refuse_existing(tmp_path, overwrite=True)

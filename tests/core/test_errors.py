from pathlib import Path

from locutor.core.errors import LocutorError, OutputError, disk_full


def test_an_error_says_what_and_what_to_do():
    error = LocutorError("x.mp4 is empty", "copy it again")
    assert str(error) == "x.mp4 is empty\n  -> copy it again"
    assert (error.what, error.do) == ("x.mp4 is empty", "copy it again")


def test_a_full_disk_names_the_file():
    error = disk_full(Path("somewhere/out.mp4"))
    assert isinstance(error, OutputError)
    assert "out.mp4" in error.what

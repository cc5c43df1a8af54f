"""`locutor export`."""

from pathlib import Path

import pytest
import soundfile

from locutor.capture.performance import Performance
from locutor.cli.export import export
from locutor.cli.main import Export
from locutor.core.errors import LocutorError, OutputError
from locutor.core.events import Wrote


@pytest.fixture
def sound(performance: Performance, tmp_path: Path) -> Path:
    soundfile.write(tmp_path / "voice.wav", performance.sound[:9600], 16_000)
    return tmp_path / "voice.wav"


def test_each_form_of_a_sound(avatar_file: Path, sound: Path, tmp_path: Path):
    for form, name in (("web", "site"), ("ply", "a.ply"), ("arkit", "a.csv")):
        command = Export(str(avatar_file), tmp_path / name, form, sound, frame=3)
        assert [event.path for event in export(command) if isinstance(event, Wrote)] == [tmp_path / name]
    assert (tmp_path / "site" / "index.html").is_file()
    assert len((tmp_path / "a.csv").read_text().splitlines()) == 1 + 15
    assert (tmp_path / "a.ply").read_bytes().startswith(b"ply\n")


def test_captured_footage(avatar_file: Path, performance: Performance, tmp_path: Path):
    list(export(Export(str(avatar_file), tmp_path / "a.csv", "arkit", performance=performance.folder)))
    assert len((tmp_path / "a.csv").read_text().splitlines()) == 1 + len(performance)


def test_two_sources_of_motion(avatar_file: Path, sound: Path, tmp_path: Path):
    with pytest.raises(LocutorError, match="one source of motion"):
        list(export(Export(str(avatar_file), tmp_path / "a.csv", "arkit", sound, text="hello")))


def test_a_frame_that_is_not_there(avatar_file: Path, sound: Path, tmp_path: Path):
    with pytest.raises(LocutorError, match="no frame 99"):
        list(export(Export(str(avatar_file), tmp_path / "a.ply", "ply", sound, frame=99)))


@pytest.mark.parametrize("form", ["web", "ply", "arkit"])
def test_what_exists_is_left_alone(avatar_file: Path, sound: Path, tmp_path: Path, form):
    taken = tmp_path / "taken"
    taken.write_text("precious")
    with pytest.raises(OutputError, match="exists already"):
        list(export(Export(str(avatar_file), taken, form, sound)))
    assert taken.read_text() == "precious"

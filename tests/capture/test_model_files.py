import hashlib
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from locutor.capture.model_files import FACE_LANDMARKER, SELFIE_MATTE, ModelFile, cache_folder, find_model_file
from locutor.core.errors import ModelFileError

CONTENT = b"a small model" * 100
MODEL = ModelFile("small.task", "https://example.invalid/small.task", hashlib.sha256(CONTENT).hexdigest())


@pytest.fixture(autouse=True)
def folders(tmp_path, monkeypatch) -> tuple[Path, Path]:
    """An empty folder named by LOCUTOR_MODELS, an empty cache, and no network."""
    named, cache = tmp_path / "named", tmp_path / "cache"
    named.mkdir()
    monkeypatch.setenv("LOCUTOR_MODELS", str(named))
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))

    def offline(*_: object, **__: object) -> None:
        raise urllib.error.URLError("no route to host")

    monkeypatch.setattr(urllib.request, "urlopen", offline)
    return named, cache / "locutor" / "models"


@pytest.fixture
def served(tmp_path, monkeypatch, folders) -> Iterator[tuple[ModelFile, Path]]:
    """A real server on this machine, and the model file that it offers."""
    monkeypatch.undo()
    monkeypatch.setenv("LOCUTOR_MODELS", str(folders[0]))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    site = tmp_path / "site"
    site.mkdir()
    (site / MODEL.name).write_bytes(CONTENT)

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}/{MODEL.name}"
        yield ModelFile(MODEL.name, url, MODEL.sha256), site / MODEL.name
        server.shutdown()
        thread.join()


def test_the_named_folder_comes_first(folders):
    named, cache = folders
    cache.mkdir(parents=True)
    for folder in (named, cache):
        (folder / MODEL.name).write_bytes(CONTENT)
    assert find_model_file(MODEL) == named / MODEL.name


def test_then_the_cache(folders):
    _, cache = folders
    cache.mkdir(parents=True)
    (cache / MODEL.name).write_bytes(CONTENT)
    assert cache_folder() == cache
    assert find_model_file(MODEL) == cache / MODEL.name


def test_without_variables_the_cache_is_in_the_home(monkeypatch, tmp_path):
    monkeypatch.delenv("LOCUTOR_MODELS")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    folder = tmp_path / ".cache" / "locutor" / "models"
    folder.mkdir(parents=True)
    (folder / MODEL.name).write_bytes(CONTENT)
    assert find_model_file(MODEL) == folder / MODEL.name


def test_an_altered_file_is_refused_and_left_for_the_user_to_look_at(folders):
    path = folders[0] / MODEL.name
    path.write_bytes(CONTENT + b"!")
    with pytest.raises(ModelFileError) as caught:
        find_model_file(MODEL)
    assert str(path) in caught.value.what
    assert MODEL.url in caught.value.do
    assert path.exists()


def test_offline_the_error_names_file_address_and_folder(folders):
    with pytest.raises(ModelFileError) as caught:
        find_model_file(MODEL)
    assert MODEL.name in caught.value.what
    assert "no route to host" in caught.value.what
    assert MODEL.url in caught.value.do
    assert str(folders[1]) in caught.value.do


def test_fetched_once_and_checked(served, folders):
    model, original = served
    target = find_model_file(model)
    assert target == folders[1] / MODEL.name
    assert target.read_bytes() == CONTENT
    assert list(folders[1].iterdir()) == [target]
    original.unlink()
    assert find_model_file(model) == target


def test_a_download_of_other_content_is_not_kept(served, folders):
    model, original = served
    original.write_bytes(b"<html>please log in</html>")
    with pytest.raises(ModelFileError, match="is not the expected"):
        find_model_file(model)
    assert list(folders[1].iterdir()) == []


def test_an_address_that_is_gone(served):
    model, original = served
    original.unlink()
    with pytest.raises(ModelFileError, match="404"):
        find_model_file(model)


def test_a_download_that_breaks_off(served, folders, monkeypatch):
    model, _ = served
    real = urllib.request.urlopen

    class Broken:
        def __init__(self, response) -> None:
            self._response = response

        def __enter__(self) -> "Broken":
            return self

        def __exit__(self, *_: object) -> None:
            self._response.close()

        def read(self) -> bytes:
            self._response.read()
            raise ConnectionResetError(104, "connection reset by peer")

    monkeypatch.setattr(urllib.request, "urlopen", lambda *a, **k: Broken(real(*a, **k)))
    with pytest.raises(ModelFileError, match="connection reset"):
        find_model_file(model)
    assert list(folders[1].iterdir()) == []


def test_a_cache_that_cannot_be_made(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(ModelFileError, match="cannot be made"):
        find_model_file(MODEL)


@pytest.mark.real
@pytest.mark.parametrize("model", [FACE_LANDMARKER, SELFIE_MATTE])
def test_the_real_files_are_the_pinned_ones(models_dir, monkeypatch, model):
    monkeypatch.setenv("LOCUTOR_MODELS", str(models_dir))
    assert find_model_file(model) == models_dir / model.name

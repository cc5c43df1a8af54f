"""What all tests share: run-time checks of the shapes in signatures, and the folders of real material."""

import os
from pathlib import Path

import pytest
from hypothesis import settings
from jaxtyping import install_import_hook

install_import_hook("locutor", "beartype.beartype")
settings.register_profile("untimed", deadline=None)  # a busy machine is no error
settings.load_profile("untimed")


def _folder(variable: str) -> Path:
    value = os.environ.get(variable)
    if not value or not Path(value).is_dir():
        pytest.skip(f"{variable} does not name a folder")
    return Path(value)


@pytest.fixture(scope="session", autouse=True)
def _own_data_folder(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Signing keys and revoked consents of tests stay out of the user's folder."""
    os.environ["XDG_DATA_HOME"] = str(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="session")
def media_dir() -> Path:
    """Folder with the sub-folders `video`, `audio` and `image` of real material."""
    return _folder("LOCUTOR_MEDIA")


@pytest.fixture(scope="session")
def models_dir() -> Path:
    """Folder with the model files that are not part of the repository."""
    return _folder("LOCUTOR_MODELS")

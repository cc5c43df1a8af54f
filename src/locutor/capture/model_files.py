"""Where model files are found. Nothing else in the project is ever fetched."""

from __future__ import annotations

import hashlib
import http.client
import os
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from locutor.core.errors import ModelFileError
from locutor.core.files import atomic_path

TIMEOUT_S = 30


@dataclass(frozen=True)
class ModelFile:
    """A file that the user's machine fetches once from its official address."""

    name: str
    url: str
    sha256: str


FACE_LANDMARKER = ModelFile(
    "face_landmarker.task",
    "https://storage.googleapis.com/mediapipe-models/face_landmarker/face_landmarker/float16/1/face_landmarker.task",
    "64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff",
)
SELFIE_MATTE = ModelFile(
    "selfie_segmentation.tflite",
    "https://storage.googleapis.com/mediapipe-assets/selfie_segmentation.tflite",
    "9ee168ec7c8f2a16c56fe8e1cfbc514974cbbb7e434051b455635f1bd1462f5c",
)


def cache_folder() -> Path:
    """The user's folder for model files."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "locutor" / "models"


def locate(model: ModelFile) -> Path | None:
    """Where the model lies on this machine: in `$LOCUTOR_MODELS`, else in the user's cache, else nowhere."""
    folders = [Path(p) for p in [os.environ.get("LOCUTOR_MODELS", "")] if p] + [cache_folder()]
    return next((folder / model.name for folder in folders if (folder / model.name).is_file()), None)


def find_model_file(model: ModelFile) -> Path:
    """Path of the model as `locate` finds it, else fetched into the user's cache; its contents are checked.

    Raises:
        ModelFileError: it is nowhere and cannot be fetched, or its contents are not the pinned ones.
    """
    found = locate(model)
    if found is not None:
        return _checked(found, model)
    target = cache_folder() / model.name
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ModelFileError(
            f"{model.name} is missing, and the folder {target.parent} for it cannot be made ({error.strerror})",
            f"download {model.url} and set LOCUTOR_MODELS to the folder that holds it",
        ) from error
    data = _download(model, target.parent)
    with atomic_path(target, wait=True) as part:
        part.write_bytes(data)
        _checked(part, model)
    return target


def _download(model: ModelFile, folder: Path) -> bytes:
    try:
        with urllib.request.urlopen(model.url, timeout=TIMEOUT_S) as response:
            return response.read()
    except (OSError, http.client.HTTPException) as error:  # urllib's own errors are OSErrors too
        raise ModelFileError(
            f"the model file {model.name} is missing and could not be fetched ({error})",
            f"download {model.url} and put it into {folder}, or set LOCUTOR_MODELS to the folder that holds it",
        ) from error


def _checked(path: Path, model: ModelFile) -> Path:
    if hashlib.sha256(path.read_bytes()).hexdigest() != model.sha256:
        raise ModelFileError(
            f"{path} is not the expected {model.name} (its sha256 differs)",
            f"delete it and download {model.url} again",
        )
    return path

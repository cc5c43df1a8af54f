"""`locutor doctor`: what this machine can do, and what is installed."""

import importlib.metadata
import platform
from collections.abc import Iterator

from locutor.capture.model_files import FACE_LANDMARKER, SELFIE_MATTE, ModelFile, cache_folder, locate
from locutor.core.errors import LocutorError

OPTIONAL = {"mediapipe": "capture", "espeakng-loader": "tts", "fastapi": "live", "aiortc": "webrtc"}


def examine() -> Iterator[str]:
    """The lines of the report."""
    import torch

    from locutor.splat.engine import available_isas, default_engine, usable_cores

    yield f"locutor {importlib.metadata.version('locutor')}, Python {platform.python_version()}, {platform.platform()}"
    kernels = f"{default_engine().isa} (of {', '.join(available_isas())})"
    yield f"cores: {usable_cores()}   kernels: {kernels}   torch {torch.__version__}"
    if torch.cuda.is_available():
        device = f"{torch.cuda.get_device_name(0)}, CUDA {torch.version.cuda}"
        yield f"GPU: {device}; gsplat, which draws on it: {_version('gsplat', 'cuda')}"
    else:
        yield "GPU: none (not needed)"
    for package, extra in OPTIONAL.items():
        yield f"{package}: {_version(package, extra)}"
    for model in (FACE_LANDMARKER, SELFIE_MATTE):
        yield f"{model.name}: {_where(model)}"
    yield f"speech from text: {_speech()}"


def _version(package: str, extra: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return f"missing; pip install 'locutor[{extra}]'"


def _where(model: ModelFile) -> str:
    missing = f"missing; fetched from {model.url} when first needed, or put it into {cache_folder()}"
    return str(locate(model) or missing)


def _speech() -> str:
    from locutor.speech.espeak import synthesize

    try:
        speech = synthesize("ready")
    except LocutorError as error:
        return str(error)
    return f"espeak-ng works ({speech.duration_s:.1f} s spoken)"

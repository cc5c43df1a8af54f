"""What the figures were measured on."""

import importlib.metadata
import os
import platform
from pathlib import Path

import torch

from locutor.splat.engine import available_isas, default_engine, usable_cores


def facts() -> dict[str, object]:
    """Machine and versions, for the head of the table and the JSON file."""
    engine = default_engine()
    return {
        "cpu": cpu_name(),
        "cores": usable_cores(),
        "isa": engine.isa,
        "isas": available_isas(),
        "threads": engine.threads,
        "load_average": [round(x, 2) for x in os.getloadavg()] if hasattr(os, "getloadavg") else None,
        "cuda": torch.cuda.get_device_name(0) if torch.cuda.is_available() else None,
        "system": platform.platform(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "locutor": importlib.metadata.version("locutor"),
    }


def cpu_name() -> str:
    """As the system calls it; empty where it cannot be found."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor()

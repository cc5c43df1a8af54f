"""What the figures were measured on."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from dataclasses import dataclass
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


@dataclass(frozen=True)
class CpuTicks:
    """Of all cores since the machine started, in the kernel's ticks."""

    all: int
    stolen: int

    @classmethod
    def now(cls) -> CpuTicks | None:
        """None where the system does not tell (other than Linux)."""
        stat = Path("/proc/stat")
        if not stat.is_file():
            return None
        ticks = [int(word) for word in stat.read_text().split("\n", 1)[0].split()[1:9]]
        return cls(sum(ticks), ticks[7])


def stolen_since(start: CpuTicks | None) -> float | None:
    """Share of the cores' time that the host gave to its other guests, which makes every wall time longer."""
    now = CpuTicks.now()
    if start is None or now is None:
        return None
    return (now.stolen - start.stolen) / max(now.all - start.all, 1)

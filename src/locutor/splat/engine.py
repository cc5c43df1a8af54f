"""The native engine: a small thread pool and the fastest instruction set that the machine has."""

import os
from functools import cache

from locutor._native import Engine, available_isas

__all__ = ["Engine", "available_isas", "default_engine", "usable_cores"]


def usable_cores() -> int:
    """Number of cores that this process may run on."""
    if os.name == "posix" and os.uname().sysname == "Linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@cache
def default_engine() -> Engine:
    """The engine that all native calls share unless they are given another.

    `LOCUTOR_THREADS` (default: the usable cores) and `LOCUTOR_ISA` (portable, on ARM neon, avx2, avx512; default: the
    fastest available) are read on first use.

    Raises:
        ValueError: one of them cannot be used here.
    """
    threads = os.environ.get("LOCUTOR_THREADS") or str(usable_cores())
    if not threads.isdecimal() or not 1 <= int(threads) <= 256:
        raise ValueError(f"LOCUTOR_THREADS is {threads!r}; it must be a number from 1 to 256")
    isa = os.environ.get("LOCUTOR_ISA") or available_isas()[-1]
    if isa not in available_isas():
        raise ValueError(f"LOCUTOR_ISA is {isa!r}; this machine has: {', '.join(available_isas())}")
    return Engine(int(threads), isa)

"""The arrays of `generic_mouth.npz`, which tools/generic_mouth.py makes."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
from numpy import ndarray

_TABLE = Path(__file__).with_name("generic_mouth.npz")


@cache
def generic_table() -> dict[str, ndarray]:
    """The arrays by name; see there."""
    with np.load(_TABLE, allow_pickle=False) as table:
        return {name: table[name] for name in table.files if name != "names"}

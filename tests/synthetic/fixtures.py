"""Fixtures of the synthetic performance, imported by the conftest.py of the folders that use it."""

from pathlib import Path

import pytest
from tests.synthetic.performer import write_performance

from locutor.capture.performance import Performance


@pytest.fixture(scope="session")
def performance(tmp_path_factory: pytest.TempPathFactory) -> Performance:
    """The synthetic performance with sound, made once for all test folders."""
    return Performance(_written(tmp_path_factory.getbasetemp() / "synthetic"))


def _written(folder: Path) -> Path:
    if not folder.exists():
        write_performance(folder)
    return folder

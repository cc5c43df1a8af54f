"""Fixtures of the synthetic performance, imported by the conftest.py of the folders that use it."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests.synthetic.performer import true_avatar, write_performance

from locutor.avatar.avatar import Avatar
from locutor.avatar.bundle import save_avatar
from locutor.capture.performance import Performance
from locutor.core.clock import SAMPLES_PER_FRAME
from locutor.drive.voice_fit import fit_voice


@pytest.fixture(scope="session")
def performance(tmp_path_factory: pytest.TempPathFactory) -> Performance:
    """The synthetic performance with sound, made once for all test folders."""
    folder = tmp_path_factory.getbasetemp() / "synthetic"
    if not folder.exists():
        write_performance(folder)
    return Performance(folder)


@pytest.fixture(scope="session")
def speaking_avatar(performance: Performance) -> Avatar:
    """The avatar that draws the performance, with a voice model of its sound."""
    motion = performance.tracking.motion[: performance.n_train]
    voice = fit_voice(performance.sound[: performance.n_train * SAMPLES_PER_FRAME], motion)
    return replace(true_avatar(performance.folder), voice=voice.to_tensors())


@pytest.fixture(scope="session")
def avatar_file(speaking_avatar: Avatar, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`speaking_avatar` as a file."""
    path = tmp_path_factory.mktemp("avatar") / "synthetic.avatar"
    save_avatar(speaking_avatar, path, preview=speaking_avatar.plate)
    return path

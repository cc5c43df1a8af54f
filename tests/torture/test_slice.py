"""A small part of `make torture`, and the proof that it would notice."""

import os
import pickle
import signal
from importlib import resources
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tools.torture.fuzz import attack
from tools.torture.loaders import Target, refused, smaller, targets

from locutor.avatar.bundle import load_avatar

NAMES = (
    "avatar: zip", "avatar: safetensors", "avatar: JSON", "performance: JSON", "performance: tracking (npz)",
    "performance: image store", "consent: JSON", "picture: PNG, JPEG", "checkpoint (torch)", "Gaussians: PLY",
    "motion: CSV", "sound: wav, flac, ogg",
    "video: mp4", "C2PA manifest",
)  # fmt: skip


@pytest.fixture(scope="module")
def under_attack(tmp_path_factory) -> dict[str, Target]:
    with resources.as_file(resources.files("locutor.actors") / "embedded") as embedded:
        avatar = smaller(load_avatar(embedded / "performer.avatar"))
        return {t.name: t for t in targets(avatar, embedded, tmp_path_factory.mktemp("samples"))}


def test_every_loader_is_here(under_attack):
    assert set(NAMES) == set(under_attack) - {"video: whole capture", "video: real clips"}


@pytest.mark.parametrize("name", NAMES)
def test_damaged_files_are_read_or_refused(under_attack, name, tmp_path):
    target = under_attack[name]
    path = tmp_path / f"case{target.suffix}"

    @settings(max_examples=12, derandomize=True)
    @given(st.integers(0, 2**32))
    def any_seed(seed: int) -> None:
        path.write_bytes(target.make(np.random.default_rng(seed)))
        refused(target.read, path)  # anything but a LocutorError is raised
        assert list(tmp_path.iterdir()) == [path]

    any_seed()


def loader(read) -> Target:
    return Target("x", ".bin", 3, lambda rng: rng.bytes(20), read)


class Code:
    def __reduce__(self):
        return os.system, ("true",)


def crash(path: Path) -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def grow(path: Path) -> None:
    np.ones(3 << 30, np.uint8)


@pytest.mark.parametrize(
    ("read", "why"),
    [
        (crash, "signal 11"),
        (grow, "MemoryError"),
        (lambda path: 1 // 0, "ZeroDivisionError"),
        (lambda path: pickle.loads(pickle.dumps(Code())), "pickle.find_class"),
        (lambda path: (path.parent.parent / path.parent.name / "more").write_text(""), "for writing"),
        (lambda path: eval("1"), "exec"),
    ],
)
def test_it_notices(read, why, tmp_path):
    outcome = attack(loader(read), 2, 0, tmp_path / "kept")
    assert outcome.counts["failed"] == 2
    assert all(why in failure for failure in outcome.failures)
    assert len(list((tmp_path / "kept").iterdir())) == 2


def test_what_is_well_is_counted(tmp_path):
    outcome = attack(loader(lambda path: path.read_bytes()), 5, 0, tmp_path / "kept")
    assert outcome.counts == {"read": 5}
    assert not outcome.failures

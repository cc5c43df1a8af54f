"""Bundles whose bytes are wrong: always a `FormatError`, never a traceback."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
from tests.synthetic.bundles import changed
from tests.synthetic.performer import true_avatar

from locutor.avatar.bundle import load_avatar, save_avatar
from locutor.core.errors import FormatError

READ = ("gaussians.safetensors", "idle.safetensors", "meta.json", "motion.safetensors", "plate.png")


@pytest.fixture
def path(tmp_path) -> Path:
    avatar = true_avatar()
    save_avatar(avatar, tmp_path / "someone.avatar", preview=avatar.plate)
    return tmp_path / "someone.avatar"


def test_flipped_bytes_are_found_or_do_not_matter(path):
    data = path.read_bytes()
    rng = np.random.default_rng(0)
    tail = range(len(data) - 300, len(data))  # the zip's directory
    n_found = 0
    for place in [*rng.integers(0, len(data), 80).tolist(), *tail]:
        damaged = bytearray(data)
        damaged[place] ^= int(rng.integers(1, 255))
        path.write_bytes(bytes(damaged))
        try:
            load_avatar(path)
        except FormatError:
            n_found += 1
    assert n_found > 80


@pytest.mark.parametrize("name", READ)
def test_a_member_of_other_content(path, name):
    with pytest.raises(FormatError, match="damaged"):
        load_avatar(changed(path, name, b"[1, 2, 3]"))


def test_a_page_that_lacks_something(path):
    meta = json.loads(zipfile.ZipFile(path).read("meta.json"))
    del meta["camera"]["cx"]
    with pytest.raises(FormatError, match="damaged"):
        load_avatar(changed(path, "meta.json", json.dumps(meta).encode()))


def test_tensors_of_another_shape(path):
    tensors = safetensors.numpy.load(zipfile.ZipFile(path).read("motion.safetensors"))
    tensors["network.out.bias"] = tensors["network.out.bias"][:-1]
    with pytest.raises(FormatError, match="damaged"):
        load_avatar(changed(path, "motion.safetensors", safetensors.numpy.save(tensors)))

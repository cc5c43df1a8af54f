"""Mutated files. A generator decides everything: the same seed, the same files."""

from __future__ import annotations

import io
import json
import struct
import warnings
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np

NASTY: tuple[Any, ...] = (
    None, True, 0, -1, 1, 2**31, 2**63, -(2**63), 10**30, 1e308, float("nan"), float("inf"), "", "x" * 5000, "../../x",
    "\x00", "\ud800", "\x1b[2J", [], {}, [[[]]], {"a": 1}, "2026-13-40", "9999-12-31",
)  # fmt: skip


def mutated_bytes(samples: list[bytes], rng: np.random.Generator) -> bytes:
    """Random bytes, a cut, swapped headers, holes, repeats, runs of one value, noise."""
    data, other = bytearray(pick(samples, rng)), pick(samples, rng)
    n = max(1, len(data))
    kinds: list[Callable[[], bytes]] = [
        lambda: _sprinkled(data, rng, 0, n),
        lambda: _sprinkled(data, rng, 0, min(4096, n)),
        lambda: _sprinkled(data, rng, max(0, n - 4096), n),
        lambda: bytes(data[: int(rng.integers(0, n))]),
        lambda: other[: int(rng.integers(16, 2048))] + bytes(data[int(rng.integers(16, 2048)) :]),
        lambda: _without_block(data, rng),
        lambda: bytes(data) + bytes(data[int(rng.integers(n)) :]),
        lambda: rng.integers(0, 256, int(rng.integers(0, 65536))).astype(np.uint8).tobytes(),
        lambda: _filled(data, rng),
    ]
    return kinds[int(rng.integers(len(kinds)))]()


def pick(samples: list[Any], rng: np.random.Generator) -> Any:
    """One of them."""
    return samples[int(rng.integers(len(samples)))]


def _sprinkled(data: bytearray, rng: np.random.Generator, start: int, end: int) -> bytes:
    for at in rng.integers(start, end, int(rng.integers(1, 200))):
        data[at] = int(rng.integers(256))
    return bytes(data)


def _without_block(data: bytearray, rng: np.random.Generator) -> bytes:
    start = int(rng.integers(len(data)))
    return bytes(data[:start]) + bytes(data[start + int(rng.integers(1, 65536)) :])


def _filled(data: bytearray, rng: np.random.Generator) -> bytes:
    start = int(rng.integers(len(data)))
    length = int(rng.integers(1, 20000))
    data[start : start + length] = bytes([int(rng.choice([0, 255]))]) * min(length, len(data) - start)
    return bytes(data)


def mutated_json(sample: bytes, rng: np.random.Generator) -> bytes:
    """Values replaced by nasty ones, fields lost, doubled or invented; now and then the text itself is damaged."""
    if rng.random() < 0.2:
        return mutated_bytes([sample], rng)[:200_000]
    record = json.loads(sample)
    for _ in range(int(rng.integers(1, 4))):
        record = _changed(record, rng)
    return json.dumps(record).encode()


def _changed(value: Any, rng: np.random.Generator) -> Any:
    if isinstance(value, dict) and value and rng.random() < 0.9:
        key = pick(list(value), rng)
        kind = rng.random()
        if kind < 0.15:
            return {k: v for k, v in value.items() if k != key}
        if kind < 0.25:
            return value | {f"{key}_": value[key]}
        return value | {key: _changed(value[key], rng)}
    if isinstance(value, list) and value and rng.random() < 0.7:
        at = int(rng.integers(len(value)))
        return [*value[:at], _changed(value[at], rng), *value[at + int(rng.integers(2)) :]]
    if isinstance(value, int | float) and not isinstance(value, bool) and rng.random() < 0.5:
        return value * pick([-1, 0, 2, 1e3, 1e-3, 65536, 0.5], rng)
    return pick(list(NASTY), rng)


def mutated_safetensors(sample: bytes, rng: np.random.Generator) -> bytes:
    """Another header over the same values, or damaged bytes."""
    if rng.random() < 0.4:
        return mutated_bytes([sample], rng)
    (length,) = struct.unpack("<Q", sample[:8])
    header = mutated_json(sample[8 : 8 + length], rng)
    announced = len(header) if rng.random() < 0.9 else int(rng.choice([0, 2**31, 2**63 - 1, 2 * len(header)]))
    return struct.pack("<Q", announced) + header + sample[8 + length :]


def with_member(bundle: bytes, name: str, content: bytes, rng: np.random.Generator) -> bytes:
    """A zip with one member replaced, its checks made to fit; now and then with tricks of archives."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(bundle)) as old, zipfile.ZipFile(out, "w") as new:
        for member in old.namelist():
            new.writestr(member, content if member == name else old.read(member))
        trick = rng.random()
        if trick < 0.05:
            new.writestr(str(rng.choice(["../../escaped", "/tmp/escaped", "a/../../escaped", "C:\\escaped"])), b"x")
        elif trick < 0.1:
            link = zipfile.ZipInfo("voice.safetensors")
            link.external_attr = 0o120777 << 16  # a symbolic link
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # one name twice is the point
                new.writestr(link, b"/etc/passwd")
    data = bytearray(out.getvalue())
    if rng.random() < 0.1:  # sizes in the directory that are not true
        at = data.rfind(b"PK\x01\x02")
        data[at + 20 : at + 28] = rng.integers(0, 256, 8).astype(np.uint8).tobytes()
    return bytes(data)


def bomb(bundle: bytes, name: str, size: int) -> bytes:
    """A zip whose member `name` unpacks to `size` zeros."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(bundle)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.namelist():
            if member != name:
                new.writestr(member, old.read(member))
        with new.open(name, "w", force_zip64=True) as file:
            for _ in range(size >> 20):
                file.write(bytes(1 << 20))
    return out.getvalue()

"""Choice of instruction set and threads, and the thread pool under load."""

import os
import platform
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from locutor.splat.cpu import rasterize
from locutor.splat.engine import Engine, available_isas, usable_cores


def in_a_new_process(code: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", f"from locutor.splat.engine import default_engine\n{code}"],
        env=os.environ | environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return (done.stdout + done.stderr).strip()


def test_the_environment_chooses_isa_and_threads() -> None:
    first = available_isas()[0]
    report = "e = default_engine()\nprint(e.isa, e.threads)"
    assert in_a_new_process(report, LOCUTOR_ISA=first, LOCUTOR_THREADS="3") == f"{first} 3"
    assert in_a_new_process(report, LOCUTOR_ISA="", LOCUTOR_THREADS="") == f"{available_isas()[-1]} {usable_cores()}"


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("LOCUTOR_ISA", "sse9", f"LOCUTOR_ISA is 'sse9'; this machine has: {available_isas()[0]}"),
        ("LOCUTOR_THREADS", "many", "LOCUTOR_THREADS is 'many'; it must be a number from 1 to 256"),
        ("LOCUTOR_THREADS", "0", "LOCUTOR_THREADS is '0'"),
    ],
)
def test_a_wrong_environment_is_refused(variable, value, message) -> None:
    assert f"ValueError: {message}" in in_a_new_process("default_engine()", **{variable: value})


def test_an_unknown_instruction_set_is_refused() -> None:
    with pytest.raises(ValueError, match=r"instruction set 'neon9' is not available here; there is: (portable|neon)"):
        Engine(1, "neon9")


def test_the_compilers_own_vectors_are_always_there() -> None:
    assert available_isas()[0] == ("neon" if platform.machine() in ("aarch64", "arm64") else "portable")


@pytest.mark.parametrize("threads", [1, 2, 8])
def test_calls_from_many_python_threads_take_turns(scene, threads) -> None:
    engine = Engine(threads, available_isas()[-1])
    scenes = [scene(300 + i, 70, 50, seed=i) for i in range(6)]
    alone = [rasterize(*s, engine=engine).rgb for s in scenes]
    with ThreadPoolExecutor(6) as pool:
        for _ in range(20):
            together = list(pool.map(lambda s: rasterize(*s, engine=engine).rgb, scenes))
            assert all(torch.equal(a, b) for a, b in zip(alone, together, strict=True))


def test_an_engine_can_come_and_go(scene) -> None:
    gaussians, camera, background = scene(50, 40, 40)
    pictures = [rasterize(gaussians, camera, background, engine=Engine(3, available_isas()[0])).rgb for _ in range(20)]
    assert all(torch.equal(p, pictures[0]) for p in pictures)

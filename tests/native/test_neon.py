"""The kernels as NEON code: cross-compiled without warnings, then run by an emulator against arithmetic in double."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ("depth_sort", "isa", "rasterizer", "thread_pool", "tile_binning", "kernels/portable")
FLAGS = "-O2 -fno-math-errno -fno-trapping-math -fno-signed-zeros -ffp-contract=fast"


@pytest.mark.skipif(
    not (shutil.which("aarch64-linux-gnu-g++") and shutil.which("qemu-aarch64")),
    reason="needs g++-aarch64-linux-gnu and qemu-user",
)
def test_neon_kernels_agree_with_scalar_arithmetic(tmp_path) -> None:
    program, sources = tmp_path / "check", [ROOT / "native" / f"{name}.cpp" for name in SOURCES]
    warnings = ["-Wall", "-Wextra", "-Werror"]
    subprocess.run(
        ["aarch64-linux-gnu-g++", "-std=c++17", *FLAGS.split(), *warnings, "-static", "-I", ROOT / "native",
         ROOT / "tests" / "native" / "check_rasterizer.cpp", *sources, "-o", program],
        check=True,
    )  # fmt: skip
    run = subprocess.run(["qemu-aarch64", program], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stdout.startswith("neon: picture")

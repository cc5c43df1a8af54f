"""OpenSplat's CPU rasteriser (AGPL, not part of this project), where a user has its source and names it.

    OPENSPLAT_DIR=/path/to/OpenSplat make bench

Its program only trains, so its two C++ functions are compiled from the user's copy, against this PyTorch, and called
in a process of their own. They draw with one thread, cut at three standard deviations and know one background colour.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from benchmarks.scene import Scene, tensors
from benchmarks.timing import Timing, measured
from numpy import ndarray

SOURCES = ("rasterizer/gsplat-cpu", "vendor/gsplat-cpu")  # by version
REPEATS = 5
BINDING = """
#include "bindings.h"
torch::Tensor draw(torch::Tensor means, torch::Tensor quats, torch::Tensor scales, torch::Tensor opacities,
                   torch::Tensor colors, torch::Tensor view, torch::Tensor projection, double focal, double cx,
                   double cy, int64_t width, int64_t height) {
  torch::NoGradGuard guard;
  auto [xys, radii, conics, covariances, depths] = project_gaussians_forward_tensor_cpu(
      means.size(0), means, scales, 1.0f, quats, view, projection, focal, focal, cx, cy, height, width, 0.01f);
  auto [picture, transmittance, lists] = rasterize_forward_tensor_cpu(
      width, height, xys, conics, colors, opacities, torch::zeros({3}), covariances, depths.contiguous());
  delete[] lists;
  return picture;
}
"""


class NotMeasuredError(Exception):
    """Why there is no figure."""


@dataclass(frozen=True)
class Drawn:
    """Their picture over black, and the time of one."""

    timing: Timing
    picture: ndarray


def measure(scene: Scene) -> Drawn:
    """Compile and time it in another process.

    Raises:
        NotMeasuredError: there is no copy of it, or it cannot be compiled.
    """
    root = os.environ.get("OPENSPLAT_DIR")
    if not root:
        raise NotMeasuredError("OPENSPLAT_DIR does not name a copy of OpenSplat's source")
    folder = next((Path(root) / s for s in SOURCES if (Path(root) / s / "gsplat_cpu.cpp").is_file()), None)
    if folder is None:
        raise NotMeasuredError(f"{root} holds no gsplat_cpu.cpp in {' or '.join(SOURCES)}")
    with tempfile.TemporaryDirectory() as scratch:
        scene_file, result_file = Path(scratch) / "scene.pt", Path(scratch) / "result.npz"
        camera = scene.camera
        view = (camera.focal_px, camera.cx, camera.cy, camera.width, camera.height)
        torch.save({"tensors": [t.contiguous() for t in tensors(scene.posed())], "view": view}, scene_file)
        command = [sys.executable, "-m", "benchmarks.opensplat", str(folder), str(scene_file), str(result_file)]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        if run.returncode:
            raise NotMeasuredError("it could not be compiled or run: " + run.stderr.strip().splitlines()[-1])
        with np.load(result_file) as result:
            return Drawn(Timing(*map(float, result["timing"]), REPEATS), result["picture"])


def child(folder: Path, scene_file: Path, result_file: Path) -> None:
    """What the other process does."""
    from torch.utils.cpp_extension import load

    binding = scene_file.with_name("binding.cpp")
    binding.write_text(BINDING + 'PYBIND11_MODULE(TORCH_EXTENSION_NAME, m) { m.def("draw", &draw); }\n')
    module = load(
        "opensplat_cpu",
        [str(binding), str(folder / "gsplat_cpu.cpp")],
        extra_include_paths=[str(folder)],
        extra_cflags=["-O3", "-include", "numeric", "-include", "torch/extension.h"],
        build_directory=str(scene_file.parent),
    )
    saved = torch.load(scene_file)
    means, quats, scales, opacities, colors = saved["tensors"]
    focal, cx, cy, width, height = saved["view"]
    projection = torch.tensor(
        [
            [2 * focal / width, 0, 2 * cx / width - 1, 0],
            [0, 2 * focal / height, 2 * cy / height - 1, 0],
            [0, 0, 1, -1],  # depth only sorts
            [0, 0, 1, 0],
        ]
    )
    arguments = (means, quats, scales, opacities, colors, torch.eye(4), projection, focal, cx, cy, width, height)
    timing = measured(lambda: module.draw(*arguments), REPEATS)
    picture = module.draw(*arguments).numpy()
    np.savez(result_file, timing=[timing.wall_ms, timing.cpu_ms, timing.p99_ms], picture=picture)


if __name__ == "__main__":
    child(*map(Path, sys.argv[1:4]))

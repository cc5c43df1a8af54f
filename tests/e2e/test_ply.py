"""Our PLY in another program: spark reads it and draws the same head."""

import json
import subprocess
from pathlib import Path

import pytest
import torch
from tests.e2e.conftest import WEB, scenario

from locutor.avatar.avatar import Avatar
from locutor.cli.verbs import find_avatar
from locutor.evaluate.pictures import psnr_db
from locutor.export.ply import gaussians_of, write_ply
from locutor.media.pictures import decode_rgb
from locutor.splat.cpu import rasterize
from locutor.splat.gaussians import Gaussians

LEAST_DB = 30.0  # spark keeps colours in 8 bits, shapes in 8 and 10
pytestmark = pytest.mark.e2e


def _on_black(avatar: Avatar, gaussians: Gaussians) -> torch.Tensor:
    head = torch.from_numpy(avatar.controls.reference_xyz)
    placed = Gaussians(
        gaussians.means + head, gaussians.quats, gaussians.scales, gaussians.opacities, gaussians.colors
    )  # fmt: skip
    size = avatar.camera.width
    return rasterize(placed, avatar.camera, torch.zeros(3, size, size).permute(1, 2, 0)).rgb


def test_spark_draws_our_file(static_host, shots: Path, tmp_path: Path):
    if not (WEB / "node_modules" / "@sparkjsdev" / "spark").is_dir():
        pytest.skip("no spark: `npm ci` in web/")
    build = ["npx", "vite", "build", "e2e/spark", "--config", "e2e/spark/vite.config.js", "--outDir", str(tmp_path)]
    subprocess.run(build, cwd=WEB, check=True, capture_output=True)
    avatar = find_avatar("demo")
    gaussians = gaussians_of(avatar, None)
    write_ply(gaussians, tmp_path / "gaussians.ply")
    camera = {
        "focal_px": avatar.camera.focal_px,
        "size": avatar.camera.width,
        "head_xyz": avatar.controls.reference_xyz.tolist(),
    }
    (tmp_path / "camera.json").write_text(json.dumps(camera))
    found = scenario("spark", static_host(tmp_path), shots)
    assert found["count"] == len(gaussians)
    truth = (255 * _on_black(avatar, gaussians).clamp(0, 1) + 0.5).to(torch.uint8).numpy()
    found["psnr_db"] = psnr_db(decode_rgb((shots / "spark.png").read_bytes()), truth)
    (shots / "spark.json").write_text(json.dumps(found) + "\n")
    assert found["psnr_db"] > LEAST_DB

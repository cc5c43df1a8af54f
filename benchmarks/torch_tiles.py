"""A rasteriser as one writes it in PyTorch: tiles, padded lists, cumulative products, gradients by autograd.

`rasterize_reference` walks over the Gaussians one by one over the whole picture and cannot draw 20,000 of them with
gradients; this one can, and obeys the same rules (docs/rasteriser.md). It is what our native code is compared with.
"""

from __future__ import annotations

import torch
from torch import Tensor

from locutor.core.camera import Camera
from locutor.splat import Gaussians, Rendering
from locutor.splat.reference import MAX_ALPHA, MIN_ALPHA, MIN_TRANSMITTANCE, depth_order, project

TILE = 16  # px
PAIRS = 300_000  # pixels times Gaussians that are blended at once: what fits the caches is fastest


def rasterize_tiles(gaussians: Gaussians, camera: Camera, background: Tensor) -> Rendering:
    """Draw Gaussians over a background; arguments and result as `rasterize_reference`."""
    order = depth_order(gaussians.means)
    names = ("means", "quats", "scales", "opacities", "colors")
    seen = Gaussians(*(getattr(gaussians, name)[order] for name in names))
    centres, covariances = project(seen, camera)
    conics = torch.linalg.inv(covariances)
    tile, gaussian = touched_tiles(centres.detach(), covariances.detach(), seen.opacities.detach(), camera)
    columns, rows = -(-camera.width // TILE), -(-camera.height // TILE)
    counts = torch.bincount(tile, minlength=rows * columns)
    starts = counts.cumsum(0) - counts
    by_length = torch.argsort(counts, descending=True)
    tile_rgb: list[Tensor] = []
    tile_t: list[Tensor] = []
    at = 0
    while at < len(by_length):
        longest = max(1, int(counts[by_length[at]]))
        some = by_length[at : at + max(1, PAIRS // (longest * TILE * TILE))]
        at += len(some)
        slot = torch.arange(longest)
        real = slot < counts[some, None]
        listed = gaussian[(starts[some, None] + slot).clamp(max=max(0, len(gaussian) - 1))] if len(gaussian) else None
        rgb, transmittance = blend(seen, centres, conics, listed, real, some, columns)
        tile_rgb.append(rgb)
        tile_t.append(transmittance)
    back = torch.argsort(by_length)
    rgb = as_picture(torch.cat(tile_rgb)[back], rows, columns, camera)
    transmittance = as_picture(torch.cat(tile_t)[back][..., None], rows, columns, camera)
    return Rendering(rgb + transmittance * background, 1 - transmittance[..., 0])


def touched_tiles(centres: Tensor, covariances: Tensor, opacities: Tensor, camera: Camera) -> tuple[Tensor, Tensor]:
    """Pairs (tile, Gaussian) where the Gaussian may be worth 1/255, by tile and within it by depth."""
    reach = torch.sqrt(2 * torch.log((opacities / MIN_ALPHA).clamp(min=1)))
    half = reach[:, None] * torch.diagonal(covariances, dim1=1, dim2=2).sqrt()
    columns, rows = -(-camera.width // TILE), -(-camera.height // TILE)
    limit = torch.tensor([columns, rows])
    first = torch.minimum((((centres - half) / TILE).floor().long()).clamp(min=0), limit)
    last = torch.minimum(((centres + half) / TILE).floor().long() + 1, limit).clamp(min=0)
    extent = (last - first).clamp(min=0) * (opacities >= MIN_ALPHA)[:, None]
    count = extent.prod(1)
    gaussian = torch.repeat_interleave(torch.arange(len(centres)), count)
    nth = torch.arange(len(gaussian)) - torch.repeat_interleave(count.cumsum(0) - count, count)
    width = extent[gaussian, 0]
    tile = (first[gaussian, 1] + nth // width) * columns + first[gaussian, 0] + nth % width
    by_tile = torch.argsort(tile, stable=True)
    return tile[by_tile], gaussian[by_tile]


def blend(
    seen: Gaussians, centres: Tensor, conics: Tensor, listed: Tensor | None, real: Tensor, tiles: Tensor, columns: int
) -> tuple[Tensor, Tensor]:
    """Colour `[G, TILE^2, 3]` and transmittance `[G, TILE^2]` of some tiles with lists `[G, L]`."""
    inside = torch.arange(TILE, dtype=centres.dtype) + 0.5
    py, px = (grid.flatten() for grid in torch.meshgrid(inside, inside, indexing="ij"))
    px = px + TILE * (tiles % columns)[:, None]
    py = py + TILE * (tiles // columns)[:, None]
    if listed is None:
        return px.new_zeros(*px.shape, 3), torch.ones_like(px)
    dx = px[:, None] - centres[listed, 0, None]
    dy = py[:, None] - centres[listed, 1, None]
    conic = conics[listed]
    q = conic[..., 0, 0, None] * dx * dx + 2 * conic[..., 0, 1, None] * dx * dy + conic[..., 1, 1, None] * dy * dy
    alpha = (seen.opacities[listed][..., None] * torch.exp(-0.5 * q)).clamp(max=MAX_ALPHA)
    alpha = torch.where((alpha >= MIN_ALPHA) & real[..., None], alpha, 0)
    after = torch.cumprod(1 - alpha, 1)
    before = torch.cat([torch.ones_like(after[:, :1]), after[:, :-1]], 1)
    weight = torch.where(after > MIN_TRANSMITTANCE, alpha * before, 0)
    return weight.transpose(1, 2) @ seen.colors[listed], 1 - weight.sum(1)


def as_picture(tiles: Tensor, rows: int, columns: int, camera: Camera) -> Tensor:
    """Tiles `[rows * columns, TILE^2, C]` to a picture `[H, W, C]`."""
    grid = tiles.view(rows, columns, TILE, TILE, -1).permute(0, 2, 1, 3, 4)
    return grid.reshape(rows * TILE, columns * TILE, -1)[: camera.height, : camera.width]

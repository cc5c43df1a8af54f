// The rasteriser: docs/rasteriser.md.
#pragma once

#include <memory>

#include "engine.h"

namespace locutor {

// Draws n Gaussians over `background` into rgb planes [3, H, W] and alpha [H, W].
// Throws std::invalid_argument when an input holds a value that is not finite.
std::shared_ptr<Frame> rasterize(Engine&, const GaussianArrays&, int n, const Camera&, const ImageView& background,
                                 float* rgb, float* alpha);

// Gradients of all inputs, from the same inputs, the frame and the pictures of `rasterize`.
void rasterize_backward(Engine&, Frame&, const GaussianArrays&, const BackwardImages&, const MutableGaussianArrays&);

// Sorts and bins the projected splats of a frame (used by `rasterize` and the renderer).
void sort_and_bin(Engine&, Frame&);

// The work of tile t. `touched`: where the whole frame's TileJob::touched lie, or null.
TileJob tile_job(const Frame&, int t, std::uint64_t* touched);

// Fetches a tile of an image into the second-level cache. The hardware does not foresee that the next row lies a whole
// row of the image further on.
void prefetch_tile(const TileJob&, const ImageView&, int channels);

}  // namespace locutor

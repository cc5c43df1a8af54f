// The rasteriser: docs/rasteriser.md.
#pragma once

#include <memory>

#include "engine.h"

namespace locutor {

// Further values of each Gaussian that are blended like colours; no channels and null if there are none.
struct ExtraArray {
  int channels;
  const float* data;  // [N, channels]
};

// What `rasterize` draws.
struct Pictures {
  float *rgb, *alpha, *extra;  // [3, H, W], [H, W], [channels, H, W]
};

// Draws n Gaussians over `background`. Throws std::invalid_argument when an input holds a value that is not finite.
std::shared_ptr<Frame> rasterize(Engine&, const GaussianArrays&, int n, const ExtraArray&, const Camera&,
                                 const ImageView& background, const Pictures&);

// Gradients of all inputs, from the same inputs, the frame and the pictures of `rasterize`.
void rasterize_backward(Engine&, Frame&, const GaussianArrays&, const ExtraArray&, const BackwardImages&,
                        const MutableGaussianArrays&, float* d_extra);

// Sorts and bins the projected splats of a frame (used by `rasterize` and the renderer).
void sort_and_bin(Engine&, Frame&);

// The work of tile t. `touched`: where the whole frame's TileJob::touched lie, or null.
TileJob tile_job(const Frame&, const ExtraArray&, std::uint64_t* touched, int t);

}  // namespace locutor

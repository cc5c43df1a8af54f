// What drawing one picture leaves behind for its backward pass.
#pragma once

#include "buffer.h"
#include "depth_sort.h"
#include "kernels/kernels.h"
#include "tile_binning.h"

namespace locutor {

struct Frame {
  Camera camera{};
  int n = 0;  // Gaussians
  Buffer<Splat> splats;
  Buffer<TileRect> rects;
  Buffer<float> depths;  // 0 where a Gaussian cannot be seen
  Buffer<std::uint32_t> order;
  TileLists lists;
  DepthSortScratch sort_scratch;

  Buffer<std::uint64_t> touched;           // patches, one set per pair of a Gaussian and a tile
  Buffer<SplatGradient> gradients;         // one per pair of a Gaussian and a tile
  Buffer<float> extra_gradients;           // [pairs, extra channels]
  Buffer<std::uint32_t> first_slot, slots; // gradients of Gaussian i start at first_slot[i]; slot of a list entry

  void require(int count) {
    n = count;
    const auto size = static_cast<std::size_t>(count);
    splats.require(size);
    rects.require(size);
    depths.require(size);
  }
  int blocks() const { return (n + kBlock - 1) / kBlock; }
  int block_size(int block) const { return n - block * kBlock < kBlock ? n - block * kBlock : kBlock; }
};

}  // namespace locutor

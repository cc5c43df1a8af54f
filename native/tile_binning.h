// Lists of Gaussians per tile, in depth order.
#pragma once

#include <cstdint>

#include "buffer.h"
#include "kernels/kernels.h"
#include "thread_pool.h"

namespace locutor {

struct TileLists {
  int columns = 0, rows = 0;
  Buffer<std::uint32_t> start;  // tile t owns list[start[t]] .. list[start[t + 1] - 1]
  bool narrow = true;           // which of the two lists is in use: indices of Gaussians, nearest first
  Buffer<std::uint16_t> narrow_list;
  Buffer<std::uint32_t> wide_list;
  Buffer<std::uint32_t> cursors;

  int tiles() const { return columns * rows; }
  std::size_t pairs() const { return start[static_cast<std::size_t>(tiles())]; }
  std::uint32_t id(std::size_t i) const { return narrow ? narrow_list[i] : wide_list[i]; }
  IdList from(std::uint32_t i) const {
    return {narrow ? narrow_list.data() + i : nullptr, narrow ? nullptr : wide_list.data() + i};
  }
};

// Puts `order[0..count)`, indices below `n`, into every tile of their rectangles, keeping the order.
void bin_into_tiles(const std::uint32_t* order, int count, int n, const TileRect* rects, int width, int height,
                    ThreadPool& pool, TileLists& lists);

}  // namespace locutor

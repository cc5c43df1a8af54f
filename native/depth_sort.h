// Exact stable order by float32 depth.
#pragma once

#include <cstdint>

#include "buffer.h"

namespace locutor {

struct DepthSortScratch {
  Buffer<std::uint32_t> keys, keys_other, ids_other;
};

// Writes to `order` the indices i < n with depth[i] > 0, ascending by depth, ties by index. Returns how many.
int sort_by_depth(const float* depth, int n, DepthSortScratch& scratch, Buffer<std::uint32_t>& order);

}  // namespace locutor

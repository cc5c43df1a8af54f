#include "depth_sort.h"

#include <cstring>
#include <utility>

namespace locutor {
namespace {
constexpr int kDigitBits = 12;
constexpr std::uint32_t kDigits = 1u << kDigitBits;
}  // namespace

int sort_by_depth(const float* depth, int n, DepthSortScratch& scratch, Buffer<std::uint32_t>& order) {
  std::uint32_t* keys = scratch.keys.require(static_cast<std::size_t>(n));
  std::uint32_t* keys_other = scratch.keys_other.require(static_cast<std::size_t>(n));
  std::uint32_t* ids = order.require(static_cast<std::size_t>(n));
  std::uint32_t* ids_other = scratch.ids_other.require(static_cast<std::size_t>(n));

  // The bits of positive floats sort as integers; less their minimum, a head's depths need two digits instead of three.
  int count = 0;
  std::uint32_t least = 0xffffffffu, most = 0;
  for (int i = 0; i < n; i++) {
    std::uint32_t key;
    std::memcpy(&key, depth + i, 4);
    const bool seen = key != 0;
    keys[count] = key;
    ids[count] = static_cast<std::uint32_t>(i);
    least = seen && key < least ? key : least;
    most = seen && key > most ? key : most;
    count += seen;
  }
  const std::uint32_t range = count > 0 ? most - least : 0;
  for (int i = 0; i < count; i++) keys[i] -= least;

  int passes = 0;
  for (int shift = 0; shift < 32 && range >> shift; shift += kDigitBits, passes++) {
    std::uint32_t start[kDigits] = {0};
    for (int i = 0; i < count; i++) start[keys[i] >> shift & (kDigits - 1)]++;
    std::uint32_t sum = 0;
    for (std::uint32_t& s : start) {
      const std::uint32_t size = s;
      s = sum;
      sum += size;
    }
    for (int i = 0; i < count; i++) {
      const std::uint32_t to = start[keys[i] >> shift & (kDigits - 1)]++;
      keys_other[to] = keys[i];
      ids_other[to] = ids[i];
    }
    std::swap(keys, keys_other);
    std::swap(ids, ids_other);
  }
  if (passes % 2 == 1) std::memcpy(ids_other, ids, static_cast<std::size_t>(count) * sizeof *ids);
  return count;
}

}  // namespace locutor

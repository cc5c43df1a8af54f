#include "tile_binning.h"

#include <algorithm>
#include <stdexcept>
#include <type_traits>

namespace locutor {
namespace {

// f(tile, id) for each tile of each Gaussian in order[begin..end).
template <class F>
void for_each_pair(const std::uint32_t* order, int begin, int end, const TileRect* rects, int columns, F f) {
  for (int k = begin; k < end; k++) {
    const std::uint32_t id = order[k];
    const TileRect r = rects[id];
    for (int y = r.y0; y <= r.y1; y++)
      for (int x = r.x0; x <= r.x1; x++) f(y * columns + x, id);
  }
}

}  // namespace

void bin_into_tiles(const std::uint32_t* order, int count, int n, const TileRect* rects, int width, int height,
                    ThreadPool& pool, TileLists& lists) {
  lists.columns = (width + kTile - 1) / kTile;
  lists.rows = (height + kTile - 1) / kTile;
  const int tiles = lists.tiles();
  // Each part counts and then writes its share of the depth order; parts lie one after the other in every tile.
  const int parts = std::max(1, std::min(pool.threads(), count / 2048));
  const auto bound = [&](int part) { return static_cast<int>(static_cast<std::int64_t>(count) * part / parts); };
  std::uint32_t* cursors = lists.cursors.require(static_cast<std::size_t>(parts) * static_cast<std::size_t>(tiles));
  pool.for_each(parts, [&](int part) {
    std::uint32_t* counts = cursors + static_cast<std::size_t>(part) * tiles;
    std::fill(counts, counts + tiles, 0u);
    for_each_pair(order, bound(part), bound(part + 1), rects, lists.columns,
                  [&](int t, std::uint32_t) { counts[t]++; });
  });
  std::uint32_t* start = lists.start.require(static_cast<std::size_t>(tiles) + 1);
  std::uint64_t sum = 0;
  for (int t = 0; t < tiles; t++) {
    start[t] = static_cast<std::uint32_t>(sum);
    for (int part = 0; part < parts; part++) {
      std::uint32_t& cursor = cursors[static_cast<std::size_t>(part) * tiles + t];
      const std::uint32_t size = cursor;
      cursor = static_cast<std::uint32_t>(sum);
      sum += size;
    }
  }
  if (sum > 0x7fffffffu)
    throw std::length_error("the Gaussians cover more than 2^31 tiles in total: they are too large");
  start[tiles] = static_cast<std::uint32_t>(sum);
  const auto fill = [&](auto* list) {
    pool.for_each(parts, [&](int part) {
      std::uint32_t* at = cursors + static_cast<std::size_t>(part) * tiles;
      for_each_pair(order, bound(part), bound(part + 1), rects, lists.columns, [&](int t, std::uint32_t id) {
        list[at[t]++] = static_cast<std::remove_pointer_t<decltype(list)>>(id);
      });
    });
  };
  lists.narrow = n <= 1 << 16;
  if (lists.narrow)
    fill(lists.narrow_list.require(static_cast<std::size_t>(sum)));
  else
    fill(lists.wide_list.require(static_cast<std::size_t>(sum)));
}

}  // namespace locutor

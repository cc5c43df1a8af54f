// From a blended tile to the picture: background, layout, rounding, image borders.
namespace {

struct SubTileArea {
  int x, y, width, height;  // px, the part inside the image; not positive if it lies outside
};

inline SubTileArea area_of(const TileJob& job, int b) {
  const int x = job.x0 + b % 4 * kSubTile, y = job.y0 + b / 4 * kSubTile;
  return {x, y, smaller(kSubTile, job.width - x), smaller(kSubTile, job.height - y)};
}

// Where vector k of a sub-tile starts.
constexpr int vector_column(int k) { return k % kPerRow * Vec::N; }
constexpr int vector_row(int k) { return k / kPerRow * kRowsPerVector; }

// One channel of a whole sub-tile from a view whose rows are contiguous.
inline void composite_whole(const float* transmittance, const float* color, const float* background,
                            std::ptrdiff_t background_row, float* out, std::ptrdiff_t out_row) {
#pragma GCC unroll 16
  for (int k = 0; k < kVectors; k++) {
    const Vec behind = load_rows(background + vector_row(k) * background_row + vector_column(k), background_row);
    const Vec value = fma(load(transmittance + k * Vec::N), behind, load(color + k * Vec::N));
    store_rows(out + vector_row(k) * out_row + vector_column(k), out_row, value);
  }
}

inline void composite_part(const SubTileArea& area, const float* transmittance, const float* color,
                           const float* background, const ImageView& layout, float* out, std::ptrdiff_t out_row) {
  for (int y = 0; y < area.height; y++)
    for (int x = 0; x < area.width; x++) {
      const int p = y * kSubTile + x;
      out[y * out_row + x] = color[p] + transmittance[p] * background[y * layout.row + x * layout.column];
    }
}

// One channel of a sub-tile over the background.
inline void composite(const SubTileArea& area, const float* transmittance, const float* color,
                      const ImageView& background, int channel, float* out, std::ptrdiff_t out_row) {
  const float* behind =
      background.data + channel * background.channel + area.y * background.row + area.x * background.column;
  if (background.column == 1 && area.width == kSubTile && area.height == kSubTile)
    composite_whole(transmittance, color, behind, background.row, out, out_row);
  else
    composite_part(area, transmittance, color, behind, background, out, out_row);
}

inline void write_covered(const SubTileArea& area, const float* transmittance, float* out, std::ptrdiff_t out_row) {
  for (int y = 0; y < area.height; y++)
    for (int x = 0; x < area.width; x++) out[y * out_row + x] = 1.0f - transmittance[y * kSubTile + x];
}

struct EmptySubTile {
  float transmittance[kSubTile * kSubTile], color[kSubTile * kSubTile];
};
constexpr EmptySubTile empty_sub_tile() {
  EmptySubTile empty{};
  for (float& t : empty.transmittance) t = 1.0f;
  return empty;
}
alignas(64) constexpr EmptySubTile kEmpty = empty_sub_tile();

void write_float(const TileJob& job, const TileState& state, const ImageView& background, float* rgb, float* alpha) {
  const std::ptrdiff_t plane = static_cast<std::ptrdiff_t>(job.width) * job.height;
  for (int b = 0; b < kSubTiles; b++) {
    const SubTileArea area = area_of(job, b);
    if (area.width <= 0 || area.height <= 0) continue;
    const bool touched = state.touched >> b & 1;
    const float* transmittance = touched ? state.transmittance[b] : kEmpty.transmittance;
    const std::ptrdiff_t at = static_cast<std::ptrdiff_t>(area.y) * job.width + area.x;
    for (int c = 0; c < 3; c++)
      composite(area, transmittance, touched ? state.color[b][c] : kEmpty.color, background, c, rgb + c * plane + at,
                job.width);
    write_covered(area, transmittance, alpha + at, job.width);
  }
}

void write_extra(const TileJob& job, const TileState& state, float* planes) {
  for (int b = 0; b < kSubTiles; b++) {
    const SubTileArea area = area_of(job, b);
    if (area.width <= 0 || area.height <= 0) continue;
    const bool touched = state.touched >> b & 1;
    for (int c = 0; c < job.channels; c++) {
      const float* sums = touched ? extra_sums(job, state, b) + c * kSubTile * kSubTile : kEmpty.color;
      float* out = planes + (static_cast<std::ptrdiff_t>(c) * job.height + area.y) * job.width + area.x;
      for (int y = 0; y < area.height; y++)
        std::memcpy(out + static_cast<std::ptrdiff_t>(y) * job.width, sums + y * kSubTile,
                    static_cast<std::size_t>(area.width) * sizeof(float));
    }
  }
}

void write_8bit(const TileJob& job, const TileState& state, const ImageView& background,
                const std::uint8_t* background8, std::uint8_t* rgb8) {
  for (int b = 0; b < kSubTiles; b++) {
    const SubTileArea area = area_of(job, b);
    if (area.width <= 0 || area.height <= 0) continue;
    const std::ptrdiff_t at = 3 * (static_cast<std::ptrdiff_t>(area.y) * job.width + area.x), row = 3 * job.width;
    if (!(state.touched >> b & 1)) {
      for (int y = 0; y < area.height; y++)
        std::memcpy(rgb8 + at + y * row, background8 + at + y * row, static_cast<std::size_t>(3 * area.width));
      continue;
    }
    alignas(64) float color[3][kSubTile * kSubTile] = {{0}};
    alignas(64) std::uint32_t packed[kSubTile * kSubTile];  // red in the lowest byte
    for (int c = 0; c < 3; c++)
      composite(area, state.transmittance[b], state.color[b][c], background, c, color[c], kSubTile);
    for (int p = 0; p < kSubTile * kSubTile; p++) {
      std::int32_t level[3];
      for (int c = 0; c < 3; c++)
        level[c] = static_cast<std::int32_t>(smaller(larger(color[c][p], 0.0f), 1.0f) * 255.0f + 0.5f);
      packed[p] = static_cast<std::uint32_t>(level[0] | level[1] << 8 | level[2] << 16);
    }
    for (int y = 0; y < area.height; y++) {
      std::uint8_t* out = rgb8 + at + y * row;
      const std::uint32_t* from = packed + y * kSubTile;
      // Four bytes at a time, each covering the first byte of the next pixel; the last pixel has no next.
      for (int x = 0; x < area.width - 1; x++) std::memcpy(out + 3 * x, from + x, 4);
      std::memcpy(out + 3 * (area.width - 1), from + area.width - 1, 3);
    }
  }
}

}  // namespace

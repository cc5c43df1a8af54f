// From a blended tile to the picture: background, layout, rounding, image borders.
namespace {

struct SubTileArea {
  int x, y, width, height;  // px, the part inside the image
};

inline SubTileArea area_of(const TileJob& job, int b) {
  const int x = job.x0 + b % 4 * kSubTile, y = job.y0 + b / 4 * kSubTile;
  return {x, y, smaller(kSubTile, job.width - x), smaller(kSubTile, job.height - y)};
}

// `width` <= 8 values of one row of a view.
inline void load_row(const ImageView& view, int channel, int y, int x, int width, float* out) {
  const float* p = view.data + channel * view.channel + y * view.row + x * view.column;
  if (view.column == 1 && width == kSubTile) {
    std::memcpy(out, p, kSubTile * sizeof(float));
    return;
  }
  for (int i = 0; i < width; i++) out[i] = p[i * view.column];
}

inline void store_row(float* out, const float* row, int width) {
  if (width == kSubTile) {
    std::memcpy(out, row, kSubTile * sizeof(float));
    return;
  }
  for (int i = 0; i < width; i++) out[i] = row[i];
}

void write_float(const TileJob& job, const TileState& state, const ImageView& background, float* rgb, float* alpha) {
  const std::ptrdiff_t plane = static_cast<std::ptrdiff_t>(job.width) * job.height;
  for (int b = 0; b < kSubTiles; b++) {
    const SubTileArea area = area_of(job, b);
    const bool touched = state.touched >> b & 1;
    for (int y = 0; y < area.height; y++) {
      const std::ptrdiff_t at = static_cast<std::ptrdiff_t>(area.y + y) * job.width + area.x;
      float row[kSubTile] = {0}, covered[kSubTile] = {0};
      const float* T = state.transmittance[b] + y * kSubTile;
      for (int c = 0; c < 3 && area.width > 0; c++) {
        load_row(background, c, area.y + y, area.x, area.width, row);
        if (touched) {
          const float* C = state.color[b][c] + y * kSubTile;
          for (int i = 0; i < kSubTile; i++) row[i] = C[i] + T[i] * row[i];
        }
        store_row(rgb + c * plane + at, row, area.width);
      }
      if (touched)
        for (int i = 0; i < kSubTile; i++) covered[i] = 1.0f - T[i];
      if (area.width > 0) store_row(alpha + at, covered, area.width);
    }
  }
}

void write_8bit(const TileJob& job, const TileState& state, const ImageView& background,
                const std::uint8_t* background8, std::uint8_t* rgb8) {
  for (int b = 0; b < kSubTiles; b++) {
    const SubTileArea area = area_of(job, b);
    const bool touched = state.touched >> b & 1;
    for (int y = 0; y < area.height && area.width > 0; y++) {
      const std::ptrdiff_t at = 3 * (static_cast<std::ptrdiff_t>(area.y + y) * job.width + area.x);
      if (!touched) {
        std::memcpy(rgb8 + at, background8 + at, static_cast<std::size_t>(3 * area.width));
        continue;
      }
      std::uint8_t pixels[3 * kSubTile];
      const float* T = state.transmittance[b] + y * kSubTile;
      for (int c = 0; c < 3; c++) {
        float row[kSubTile] = {0};
        std::int32_t level[kSubTile];
        load_row(background, c, area.y + y, area.x, area.width, row);
        const float* C = state.color[b][c] + y * kSubTile;
        for (int i = 0; i < kSubTile; i++) {
          const float value = smaller(larger(C[i] + T[i] * row[i], 0.0f), 1.0f);
          level[i] = static_cast<std::int32_t>(value * 255.0f + 0.5f);
        }
        for (int i = 0; i < kSubTile; i++) pixels[3 * i + c] = static_cast<std::uint8_t>(level[i]);
      }
      std::memcpy(rgb8 + at, pixels, static_cast<std::size_t>(3 * area.width));
    }
  }
}

}  // namespace

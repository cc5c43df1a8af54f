// From a blended tile to the picture: background, layout, rounding, image borders.
namespace {

constexpr int kTileVectors = kTile / Vec::N;                      // vectors per row of a tile
constexpr int kBlendStride = sizeof(BlendPatch) / sizeof(float);  // floats from a patch to the next

// Vector k of a row of a tile; `first` is the value of the row's first pixel, `stride` leads to the next patch.
inline Vec tile_row(const float* first, int k, std::ptrdiff_t stride = kBlendStride) {
  return load_quads(first + k * (Vec::N / kPatch) * stride, stride);
}

// Row y of a tile of one channel over the background.
inline void composite_row(const TileState& state, int channel, int y, const float* behind, std::ptrdiff_t column, int width,
                          float* out) {
  const BlendPatch& patch = state.patches[y / kPatch * kPatchColumns];
  const float* transmittance = patch.transmittance + y % kPatch * kPatch;
  const float* color = patch.color[channel] + y % kPatch * kPatch;
  if (column == 1 && width == kTile) {
#pragma GCC unroll 8
    for (int k = 0; k < kTileVectors; k++)
      store(out + k * Vec::N, fma(abs(tile_row(transmittance, k)), load(behind + k * Vec::N), tile_row(color, k)));
    return;
  }
  for (int x = 0; x < width; x++) {
    const int at = x / kPatch * kBlendStride + x % kPatch;
    out[x] = color[at] + std::fabs(transmittance[at]) * behind[x * column];
  }
}

inline void covered_row(const TileState& state, int y, int width, float* out) {
  const float* transmittance = state.patches[y / kPatch * kPatchColumns].transmittance + y % kPatch * kPatch;
  if (width == kTile) {
#pragma GCC unroll 8
    for (int k = 0; k < kTileVectors; k++) store(out + k * Vec::N, Vec(1.0f) - abs(tile_row(transmittance, k)));
    return;
  }
  for (int x = 0; x < width; x++) out[x] = 1.0f - std::fabs(transmittance[x / kPatch * kBlendStride + x % kPatch]);
}

void write_float(const TileJob& job, const TileState& state, const ImageView& background, float* rgb, float* alpha) {
  const std::ptrdiff_t plane = static_cast<std::ptrdiff_t>(job.width) * job.height;
  const int width = smaller(kTile, job.width - job.x0), height = smaller(kTile, job.height - job.y0);
  for (int y = 0; y < height; y++) {
    const std::ptrdiff_t at = static_cast<std::ptrdiff_t>(job.y0 + y) * job.width + job.x0;
    for (int c = 0; c < 3; c++) {
      const float* behind = background.data + c * background.channel + (job.y0 + y) * background.row + job.x0 * background.column;
      float* out = rgb + c * plane + at;
      if (state.touched)
        composite_row(state, c, y, behind, background.column, width, out);
      else
        for (int x = 0; x < width; x++) out[x] = behind[x * background.column];
    }
    if (state.touched)
      covered_row(state, y, width, alpha + at);
    else
      std::memset(alpha + at, 0, static_cast<std::size_t>(width) * sizeof(float));
  }
}

void write_extra(const TileJob& job, const TileState& state, float* planes) {
  const int width = smaller(kTile, job.width - job.x0), height = smaller(kTile, job.height - job.y0);
  const std::ptrdiff_t stride = static_cast<std::ptrdiff_t>(job.channels) * kPatchPixels;
  for (int c = 0; c < job.channels; c++)
    for (int y = 0; y < height; y++) {
      const float* sums = state.extra + y / kPatch * kPatchColumns * stride + c * kPatchPixels + y % kPatch * kPatch;
      float* out = planes + (static_cast<std::ptrdiff_t>(c) * job.height + job.y0 + y) * job.width + job.x0;
      alignas(64) float row[kTile] = {0};
      if (state.touched)
        for (int k = 0; k < kTileVectors; k++) store(row + k * Vec::N, tile_row(sums, k, stride));
      std::memcpy(out, row, static_cast<std::size_t>(width) * sizeof(float));
    }
}

void write_8bit(const TileJob& job, const TileState& state, const float* background, const std::uint8_t* background8,
                std::uint8_t* rgb8) {
  constexpr int kScratchStride = 4 * kPatch;
  const int width = smaller(kTile, job.width - job.x0), height = smaller(kTile, job.height - job.y0);
  const std::ptrdiff_t stride = 3 * static_cast<std::ptrdiff_t>(job.width), at = job.y0 * stride + 3 * job.x0;
  if (!state.touched) {
    for (int y = 0; y < height; y++)
      std::memcpy(rgb8 + at + y * stride, background8 + at + y * stride, static_cast<std::size_t>(3 * width));
    return;
  }
  for (int p = 0; p < kPatches; p++) {
    const int x = p % kPatchColumns * kPatch, y = p / kPatchColumns * kPatch;
    if (x >= width || y >= height) continue;
    // A row takes 16 bytes for its 12: the last ones fall on the patch to the right, which comes next.
    const bool inside = x + 2 * kPatch <= width && y + kPatch <= height;
    alignas(64) std::uint8_t scratch[kPatch * kScratchStride];
    std::uint8_t* const out = rgb8 + at + y * stride + 3 * x;
    std::uint8_t* const to = inside ? out : scratch;
    const std::ptrdiff_t to_stride = inside ? stride : kScratchStride;
    const BlendPatch& patch = state.patches[p];
    const float* behind = background + p * 3 * kPatchPixels;
#pragma GCC unroll 4
    for (int k = 0; k < kPatchVectors; k++) {
      const int first = k * Vec::N;
      const Vec T = abs(load(patch.transmittance + first));
      Vec level[3];
      for (int c = 0; c < 3; c++) {
        const Vec value = fma(T, load(behind + c * kPatchPixels + first), load(patch.color[c] + first));
        level[c] = fma(min(max(value, Vec(0.0f)), Vec(1.0f)), Vec(255.0f), Vec(0.5f));
      }
      store_rgb8(to + first / kPatch * to_stride, to_stride, level[0], level[1], level[2]);
    }
    if (inside) continue;
    for (int row = 0; row < smaller(kPatch, height - y); row++)
      std::memcpy(out + row * stride, scratch + row * kScratchStride,
                  static_cast<std::size_t>(3 * smaller(kPatch, width - x)));
  }
}

}  // namespace

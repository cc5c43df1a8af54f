// Gradient of the blend by walking the list front to back again, with no stored state: beside the transmittance T
// each pixel carries `behind` = <dL/dC, colour still to come>, which starts as <dL/dC, C> and loses each
// contribution as it is passed. dL/dalpha_i = T <dL/dC, c_i> - behind_i / (1 - alpha_i). Extra channels are colours too.
// Which splat was the last of a pixel is read from the picture: none takes T below what the forward pass left. To ask
// T > 1e-4 again could, by rounding, let one more splat in, whose 1 / (1 - alpha) is large.
namespace {

constexpr int kPatch = 4;  // px, side of a patch: smaller than a sub-tile, fewer pixels are visited in vain
constexpr int kPatches = (kTile / kPatch) * (kTile / kPatch);
constexpr int kPatchPixels = kPatch * kPatch;
constexpr int kPatchVectors = kPatchPixels / Vec::N;

// A splat that counts takes T to 254/255 T or less; halfway there lies the room for rounding.
constexpr float kWeakest = 254.0f / 255.0f, kBelowFinal = 0.998f;

// Pixels row by row.
struct alignas(64) Patch {
  float transmittance[kPatchPixels], least[kPatchPixels];  // the second: just below the final transmittance
  float behind[kPatchPixels], d_color[3][kPatchPixels], d_alpha[kPatchPixels];
};
struct BackwardState {
  Patch patches[kPatches];
};

// Sets bit p for patch (p % 8, p / 8); the same bound as touched_sub_tiles.
inline std::uint64_t touched_patches(const Splat& s, float x0, float y0) {
  std::uint64_t touched = 0;
  for (int h = 0; h < kPatches / Vec::N; h++) {
    const Vec i = lane_index() + Vec(static_cast<float>(h * Vec::N));
    const Vec row = floor_positive(i * Vec(0.125f));
    const Vec dx = fma(fnma(row, Vec(8.0f), i), Vec(4.0f), Vec(x0 + 2.0f - s.x));
    const Vec dy = fma(row, Vec(4.0f), Vec(y0 + 2.0f - s.y));
    const Vec u = fma(Vec(s.u_x), dx, Vec(s.u_y) * dy), v = Vec(s.v_y) * dy;
    const Vec exponent = fnma(v, v, fnma(u, u, Vec(s.log2_opacity)));
    const Vec slope = abs(u * Vec(s.u_x)) + abs(fma(u, Vec(s.u_y), v * Vec(s.v_y)));
    const Mask hit = ge(fma(slope, Vec(3.0f), exponent), Vec(kLog2MinAlpha)) &
                     ge(Vec(s.half_width + 1.5f), abs(dx)) & ge(Vec(s.half_height + 1.5f), abs(dy));
    touched |= static_cast<std::uint64_t>(bits(hit)) << (h * Vec::N);
  }
  return touched;
}

// Row y of a tile, `width` <= 32 values, dealt out to patches that lie `stride` floats apart.
inline void load_tile_row(const ImageView& view, int channel, int y, int x, int width, float* out, int stride) {
  const float* p = view.data + channel * view.channel + y * view.row + x * view.column;
  if (view.column == 1 && width == kTile) {
    for (int i = 0; i < kTile / kPatch; i++) std::memcpy(out + i * stride, p + i * kPatch, kPatch * sizeof(float));
    return;
  }
  for (int i = 0; i < width; i++) out[i / kPatch * stride + i % kPatch] = p[i * view.column];
}

inline void prefetch_tile_row(const ImageView& view, int channel, int y, int x) {
  const float* p = view.data + channel * view.channel + y * view.row + x * view.column;
  __builtin_prefetch(p);
  __builtin_prefetch(p + kTile / 2);
}

void start_backward(const TileJob& job, const BackwardImages& images, BackwardState& state) {
  constexpr int kStride = sizeof(Patch) / sizeof(float);
  alignas(64) float rgb[kPatches][3][kPatchPixels], alpha[kPatches][kPatchPixels];
  const int width = smaller(kTile, job.width - job.x0), height = smaller(kTile, job.height - job.y0);
  if (width < kTile || height < kTile) {  // pixels outside of the image are finished from the start
    std::memset(&state, 0, sizeof state);
    std::memset(rgb, 0, sizeof rgb);
    std::memset(alpha, 0, sizeof alpha);
  }
  for (int y = 0; y < height; y++) {
    const int first = y / kPatch * (kTile / kPatch), at = y % kPatch * kPatch, row = job.y0 + y;
    constexpr int kRowsAhead = 6;
    if (y + kRowsAhead < height) {
      for (int c = 0; c < 3; c++) {
        prefetch_tile_row(images.rgb, c, row + kRowsAhead, job.x0);
        prefetch_tile_row(images.d_rgb, c, row + kRowsAhead, job.x0);
      }
      prefetch_tile_row(images.alpha, 0, row + kRowsAhead, job.x0);
      prefetch_tile_row(images.d_alpha, 0, row + kRowsAhead, job.x0);
    }
    Patch& patch = state.patches[first];
    for (int i = 0; i < width; i++) (&patch)[i / kPatch].transmittance[at + i % kPatch] = 1.0f;
    for (int c = 0; c < 3; c++) {
      load_tile_row(images.rgb, c, row, job.x0, width, rgb[first][c] + at, 3 * kPatchPixels);
      load_tile_row(images.d_rgb, c, row, job.x0, width, patch.d_color[c] + at, kStride);
    }
    load_tile_row(images.alpha, 0, row, job.x0, width, alpha[first] + at, kPatchPixels);
    load_tile_row(images.d_alpha, 0, row, job.x0, width, patch.d_alpha + at, kStride);
  }
  for (int p = 0; p < kPatches; p++) {
    Patch& patch = state.patches[p];
    for (int i = 0; i < kPatchPixels; i++) patch.least[i] = kBelowFinal * (1.0f - alpha[p][i]);
    for (int i = 0; i < kPatchPixels; i++)
      patch.behind[i] = rgb[p][0][i] * patch.d_color[0][i] + rgb[p][1][i] * patch.d_color[1][i] +
                        rgb[p][2][i] * patch.d_color[2][i] + alpha[p][i] * patch.d_alpha[i];
  }
}

// Extra channels in the backward pass: of one splat, gradients of the pixels [patch, channels, 16], sums [channels, N].
struct BackwardExtra {
  int count;
  const float* of;
  float *d_pixels, *sums, *out;
};

inline void start_backward_extra(const TileJob& job, const BackwardImages& images, BackwardState& state, float* d) {
  alignas(64) float value[kPatches][kPatchPixels] = {{0}};
  const int width = smaller(kTile, job.width - job.x0), height = smaller(kTile, job.height - job.y0);
  const int stride = job.channels * kPatchPixels;
  std::memset(d, 0, sizeof(float) * kPatches * stride);
  for (int c = 0; c < job.channels; c++) {
    for (int y = 0; y < height; y++) {
      const int first = y / kPatch * (kTile / kPatch), at = y % kPatch * kPatch;
      load_tile_row(images.extra, c, job.y0 + y, job.x0, width, value[first] + at, kPatchPixels);
      load_tile_row(images.d_extra, c, job.y0 + y, job.x0, width, d + first * stride + c * kPatchPixels + at, stride);
    }
    for (int p = 0; p < kPatches; p++)
      for (int i = 0; i < kPatchPixels; i++)
        state.patches[p].behind[i] += value[p][i] * d[p * stride + c * kPatchPixels + i];
  }
}

inline std::uint64_t alive_patches(const BackwardState& state) {
  std::uint64_t alive = 0;
  for (int p = 0; p < kPatches; p++) {
    const Patch& patch = state.patches[p];
    bool more = false;
    for (int k = 0; k < kPatchVectors; k++)
      more |= any(ge(load(patch.transmittance + k * Vec::N) * Vec(kWeakest), load(patch.least + k * Vec::N)));
    alive |= static_cast<std::uint64_t>(more) << p;
  }
  return alive;
}

// Offsets of the patches from the tile's corner, px.
struct PatchOffsets {
  float x[kPatches], y[kPatches];
};
constexpr PatchOffsets patch_offsets() {
  PatchOffsets offsets{};
  for (int p = 0; p < kPatches; p++) {
    offsets.x[p] = static_cast<float>(p % 8 * kPatch);
    offsets.y[p] = static_cast<float>(p / 8 * kPatch);
  }
  return offsets;
}
constexpr PatchOffsets kPatchOffsets = patch_offsets();

// Sums over the patches in `rest` for one splat; advances their state past it.
template <bool kExtra>
inline void backward_splat(const Splat& s, std::uint64_t rest, float x0, float y0, BackwardState& state, float* out,
                           const BackwardExtra& extra) {
  if (kExtra)
    for (int e = 0; e < extra.count; e++) store(extra.sums + e * Vec::N, Vec(0.0f));
  Vec sums[9];
  for (Vec& a : sums) a = Vec(0.0f);
  const Vec lane_row = floor_positive(lane_index() * Vec(0.25f)), lane_column = fnma(lane_row, Vec(4.0f), lane_index());
  const Vec dx0 = lane_column + Vec(x0 + 0.5f - s.x), dy0 = lane_row + Vec(y0 + 0.5f - s.y);
  const Vec u0 = fma(Vec(s.u_x), dx0, Vec(s.u_y) * dy0), v0 = Vec(s.v_y) * dy0;
  const Vec u_x(s.u_x), u_y(s.u_y), v_y(s.v_y), top(s.log2_opacity), red(s.r), green(s.g), blue(s.b);
  for (; rest; rest &= rest - 1) {
    const int p = __builtin_ctzll(rest);
    Patch& patch = state.patches[p];
    const Vec left(kPatchOffsets.x[p]);
#pragma GCC unroll 4
    for (int k = 0; k < kPatchVectors; k++) {
      const int at = k * Vec::N;
      const Vec down(kPatchOffsets.y[p] + static_cast<float>(at / kPatch));
      const Vec u = fma(u_x, left, fma(u_y, down, u0)), v = fma(v_y, down, v0);
      const Vec q = fnma(u, u, fnma(v, v, top));
      const Vec T = load(patch.transmittance + at);
      const Vec raw = exp2_fast(q), alpha = min(raw, Vec(kMaxAlpha)), share = alpha * T;
      const Mask drawn = ge(q, Vec(kLog2MinAlpha)) & ge(T - share, load(patch.least + at));
      const Vec w = keep(drawn, share);
      const Vec d_r = load(patch.d_color[0] + at), d_g = load(patch.d_color[1] + at), d_b = load(patch.d_color[2] + at);
      Vec own = fma(d_r, red, fma(d_g, green, fma(d_b, blue, load(patch.d_alpha + at))));
      if (kExtra)
        for (int e = 0; e < extra.count; e++) {
          const Vec d_e = load(extra.d_pixels + (p * extra.count + e) * kPatchPixels + at);
          own = fma(d_e, Vec(extra.of[e]), own);
          store(extra.sums + e * Vec::N, fma(w, d_e, load(extra.sums + e * Vec::N)));
        }
      const Vec gained = w * own;
      const Vec behind = load(patch.behind + at) - gained;
      // dL/d ln(alpha) = alpha dL/dalpha; none where alpha is clamped.
      const Vec lost = alpha * reciprocal(Vec(1.0f) - alpha);
      const Vec sensitivity = keep(drawn & ge(Vec(kMaxAlpha), raw), fnma(behind, lost, gained));
      store(patch.behind + at, behind);
      store(patch.transmittance + at, T - w);
      const Vec su = sensitivity * u, sv = sensitivity * v;
      sums[0] = sums[0] + sensitivity;
      sums[1] = sums[1] + su;
      sums[2] = sums[2] + sv;
      sums[3] = fma(su, u, sums[3]);
      sums[4] = fma(su, v, sums[4]);
      sums[5] = fma(sv, v, sums[5]);
      sums[6] = fma(w, d_r, sums[6]);
      sums[7] = fma(w, d_g, sums[7]);
      sums[8] = fma(w, d_b, sums[8]);
    }
  }
  store_sums(out, sums);
  if (kExtra)
    for (int e = 0; e < extra.count; e++) extra.out[e] = sum(load(extra.sums + e * Vec::N));
}

template <bool kExtra>
void backward_tile(const TileJob& job, const BackwardImages& images, const BackwardSums& out) {
  BackwardState state;
  BackwardExtra extra{};
  start_backward(job, images, state);
  if (kExtra) {
    start_backward_extra(job, images, state, out.scratch);
    extra = {job.channels, nullptr, out.scratch, out.scratch + static_cast<std::ptrdiff_t>(job.channels) * kTilePixels,
             nullptr};
  }
  const float x0 = static_cast<float>(job.x0), y0 = static_cast<float>(job.y0);
  std::uint64_t alive = alive_patches(state);
  for (int i = 0; i < job.count; i++) {
    if (i + kAhead < job.count) {
      __builtin_prefetch(job.splats + id_at(job.list, i + kAhead));
      __builtin_prefetch(out.splats + out.slots[i + kAhead], 1);
    }
    float* sums = out.splats[out.slots[i]].sum;
    const std::uint32_t id = id_at(job.list, i);
    const Splat& s = job.splats[id];
    if (kExtra) {
      extra.of = job.extra + static_cast<std::ptrdiff_t>(id) * job.channels;
      extra.out = out.extra + static_cast<std::ptrdiff_t>(out.slots[i]) * job.channels;
    }
    const std::uint64_t patches = alive ? touched_patches(s, x0, y0) & alive : 0;
    if (patches) {
      backward_splat<kExtra>(s, patches, x0, y0, state, sums, extra);
    } else {
      std::memset(sums, 0, sizeof(SplatGradient));
      if (kExtra) std::memset(extra.out, 0, sizeof(float) * job.channels);
    }
    if ((i & 15) == 15 && alive) alive = alive_patches(state);
  }
}

void blend_backward(const TileJob& job, const BackwardImages& images, const BackwardSums& out) {
  job.channels > 0 ? backward_tile<true>(job, images, out) : backward_tile<false>(job, images, out);
}

}  // namespace

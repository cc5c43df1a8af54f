// Gradient of the blend by walking the list front to back again, with no stored state: beside the transmittance T
// each pixel carries `behind` = <dL/dC, colour still to come>, which starts as <dL/dC, C> and loses each
// contribution as it is passed. dL/dalpha_i = T <dL/dC, c_i> - behind_i / (1 - alpha_i).
namespace {

// Pixels row by row.
struct alignas(64) Patch {
  float transmittance[kPatchPixels], behind[kPatchPixels], d_color[3][kPatchPixels], d_alpha[kPatchPixels];
};
struct BackwardState {
  Patch patches[kPatches];
};

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
  std::memset(d, 0, sizeof(float) * kPatches * static_cast<std::size_t>(stride));
  for (int c = 0; c < job.channels; c++) {
    for (int y = 0; y < height; y++) {
      const int first = y / kPatch * kPatchColumns, at = y % kPatch * kPatch;
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
    const float* transmittance = state.patches[p].transmittance;
    Vec most = load(transmittance);
    for (int k = 1; k < kPatchVectors; k++) most = max(most, load(transmittance + k * Vec::N));
    alive |= static_cast<std::uint64_t>(any(gt(most, Vec(0.0f)))) << p;
  }
  return alive;
}

// Sums over the patches in `rest` for one splat; advances their state past it.
template <bool kClamp, bool kExtra>
inline void backward_splat(const Splat& s, std::uint64_t rest, float x0, float y0, BackwardState& state, float* out,
                           const BackwardExtra& extra) {
  if (kExtra)
    for (int e = 0; e < extra.count; e++) store(extra.sums + e * Vec::N, Vec(0.0f));
  Vec sums[9];
  for (Vec& a : sums) a = Vec(0.0f);
  const Vec lane_row = floor(lane_index() * Vec(0.25f)), lane_column = fnma(lane_row, Vec(4.0f), lane_index());
  const Vec dx0 = lane_column + Vec(x0 + 0.5f - s.x), dy0 = lane_row + Vec(y0 + 0.5f - s.y);
  const Vec u0 = fma(Vec(s.u_x), dx0, Vec(s.u_y) * dy0), v0 = Vec(s.v_y) * dy0;
  const Vec u_x(s.u_x), u_y(s.u_y), v_y(s.v_y), top(s.log2_opacity), red(s.r), green(s.g), blue(s.b);
  const Vec step_u(s.u_y * kRowsPerVector), step_v(s.v_y * kRowsPerVector);
  for (; rest; rest &= rest - 1) {
    const int p = __builtin_ctzll(rest);
    Patch& patch = state.patches[p];
    const Vec left(kPatchOffsets.x[p]), down(kPatchOffsets.y[p]);
    Vec u = fma(u_x, left, fma(u_y, down, u0)), v = fma(v_y, down, v0);
#pragma GCC unroll 4
    for (int k = 0; k < kPatchVectors; k++) {
      const int at = k * Vec::N;
      if (k > 0) u = u + step_u, v = v + step_v;
      const Vec q = fnma(u, u, fnma(v, v, top));
      const Vec T = load(patch.transmittance + at);
      const Vec raw = exp2_where(ge(q, Vec(kLog2MinAlpha)), q), alpha = kClamp ? min(raw, Vec(kMaxAlpha)) : raw;
      const Vec next = fnma(alpha, T, T);
      const Mask lives = gt(next, Vec(kMinTransmittance));
      const Vec w = keep(lives, alpha * T);
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
      const Mask passes = kClamp ? lives & ge(Vec(kMaxAlpha), raw) : lives;
      const Vec sensitivity = keep(passes, fnma(behind, lost, gained));
      store(patch.behind + at, behind);
      store(patch.transmittance + at, passed(lives, next, T, w));
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
  const auto channels = static_cast<std::size_t>(job.channels);
  if (kExtra) {
    start_backward_extra(job, images, state, out.scratch);
    extra = {job.channels, nullptr, out.scratch, out.scratch + channels * kTilePixels, nullptr};
  }
  const float x0 = static_cast<float>(job.x0), y0 = static_cast<float>(job.y0);
  std::uint64_t alive = alive_patches(state);
  for (int begin = 0; begin < job.count; begin += kChunk) {
    Chunk chunk;
    const int end = smaller(begin + kChunk, job.count);
    for (int i = begin; i < end; i++) {
      const std::uint64_t touched = job.touched[i] & alive;
      __builtin_prefetch(out.splats + out.slots[i], 1);
      if (touched == 0) {
        std::memset(out.splats[out.slots[i]].sum, 0, sizeof(SplatGradient));
        if (kExtra) std::memset(out.extra + out.slots[i] * channels, 0, sizeof(float) * channels);
        continue;
      }
      const std::uint32_t id = id_at(job.list, i);
      __builtin_prefetch(job.splats + id);
      chunk.add(id, touched, i);
    }
    for (int i = 0; i < chunk.count; i++) {
      const Splat& s = job.splats[chunk.id[i]];
      const std::uint32_t slot = out.slots[chunk.place[i]];
      if (kExtra) {
        extra.of = job.extra + chunk.id[i] * channels;
        extra.out = out.extra + slot * channels;
      }
      if (kExtra || s.log2_opacity > kLog2MaxAlpha)
        backward_splat<true, kExtra>(s, chunk.patches[i], x0, y0, state, out.splats[slot].sum, extra);
      else
        backward_splat<false, kExtra>(s, chunk.patches[i], x0, y0, state, out.splats[slot].sum, extra);
    }
    if (alive) alive = alive_patches(state);
  }
}

void blend_backward(const TileJob& job, const BackwardImages& images, const BackwardSums& out) {
  job.channels > 0 ? backward_tile<true>(job, images, out) : backward_tile<false>(job, images, out);
}

}  // namespace

// Alpha blending of one tile, front to back.
namespace {

// The extra channels of one splat, and where they are collected: [kPatches, count, 16].
struct BlendExtra {
  int count;
  const float* of;
  float* sums;
};

// Adds a splat to the patches in `rest`. kClamp: its opacity may be above the limit of alpha.
template <bool kClamp, bool kExtra>
inline void blend_splat(const Splat& s, std::uint64_t rest, float x0, float y0, BlendPatch* patches,
                        const BlendExtra& extra) {
  const Vec lane_row = floor(lane_index() * Vec(0.25f)), lane_column = fnma(lane_row, Vec(4.0f), lane_index());
  const Vec dx0 = lane_column + Vec(x0 + 0.5f - s.x), dy0 = lane_row + Vec(y0 + 0.5f - s.y);
  const Vec u0 = fma(Vec(s.u_x), dx0, Vec(s.u_y) * dy0), v0 = Vec(s.v_y) * dy0;
  const Vec u_x(s.u_x), u_y(s.u_y), v_y(s.v_y), top(s.log2_opacity), red(s.r), green(s.g), blue(s.b);
  const Vec step_u(s.u_y * kRowsPerVector), step_v(s.v_y * kRowsPerVector);
  for (; rest; rest &= rest - 1) {
    const int p = __builtin_ctzll(rest);
    BlendPatch& patch = patches[p];
    const Vec left(kPatchOffsets.x[p]), down(kPatchOffsets.y[p]);
    Vec u = fma(u_x, left, fma(u_y, down, u0)), v = fma(v_y, down, v0);
#pragma GCC unroll 4
    for (int k = 0; k < kPatchVectors; k++) {
      const int at = k * Vec::N;
      if (k > 0) u = u + step_u, v = v + step_v;
      const Vec q = fnma(u, u, fnma(v, v, top));
      Vec alpha = exp2_where(ge(q, Vec(kLog2MinAlpha)), q);
      if (kClamp) alpha = min(alpha, Vec(kMaxAlpha));
      const Vec T = load(patch.transmittance + at), next = fnma(alpha, T, T);
      const Mask lives = gt(next, Vec(kMinTransmittance));  // false for good once the sign is set
      const Vec w = keep(lives, alpha * T);
      store(patch.transmittance + at, passed(lives, next, T, w));
      store(patch.color[0] + at, fma(w, red, load(patch.color[0] + at)));
      store(patch.color[1] + at, fma(w, green, load(patch.color[1] + at)));
      store(patch.color[2] + at, fma(w, blue, load(patch.color[2] + at)));
      if (kExtra)
        for (int e = 0; e < extra.count; e++) {
          float* sum = extra.sums + (p * extra.count + e) * kPatchPixels + at;
          store(sum, fma(w, Vec(extra.of[e]), load(sum)));
        }
    }
  }
}

inline std::uint64_t patches_inside(const TileJob& job) {
  std::uint64_t inside = 0;
  for (int p = 0; p < kPatches; p++)
    if (job.x0 + p % kPatchColumns * kPatch < job.width && job.y0 + p / kPatchColumns * kPatch < job.height)
      inside |= std::uint64_t{1} << p;
  return inside;
}

// Those with a pixel that is not finished.
inline std::uint64_t unfinished(const BlendPatch* patches) {
  std::uint64_t out = 0;
  for (int p = 0; p < kPatches; p++) {
    Vec most = load(patches[p].transmittance);
    for (int k = 1; k < kPatchVectors; k++) most = max(most, load(patches[p].transmittance + k * Vec::N));
    out |= static_cast<std::uint64_t>(any(gt(most, Vec(0.0f)))) << p;
  }
  return out;
}

template <bool kExtra>
void blend_tile(const TileJob& job, TileState& state) {
  state.touched = 0;
  if (job.count == 0) return;
  if (kExtra) std::memset(state.extra, 0, sizeof(float) * kTilePixels * static_cast<std::size_t>(job.channels));
  BlendExtra extra{job.channels, nullptr, state.extra};
  for (BlendPatch& patch : state.patches) {
    for (float& t : patch.transmittance) t = 1.0f;
    std::memset(patch.color, 0, sizeof patch.color);
  }
  const float x0 = static_cast<float>(job.x0), y0 = static_cast<float>(job.y0);
  const std::uint64_t inside = patches_inside(job);
  std::uint64_t alive = inside;
  int begin = 0;
  for (; begin < job.count && alive; begin += kChunk) {
    Chunk chunk;
    const int end = smaller(begin + kChunk, job.count);
    for (int i = begin; i < end; i++) {
      if (i + kAhead < job.count) __builtin_prefetch(job.splats + id_at(job.list, i + kAhead));
      const std::uint32_t id = id_at(job.list, i);
      const std::uint64_t touched = touched_patches(job.splats[id], x0, y0) & inside;
      if (job.touched != nullptr) job.touched[i] = touched;
      chunk.add(id, touched & alive, i);
    }
    for (int i = 0; i < chunk.count; i++) {
      const Splat& s = job.splats[chunk.id[i]];
      state.touched |= chunk.patches[i];
      if (kExtra) extra.of = job.extra + static_cast<std::ptrdiff_t>(chunk.id[i]) * job.channels;
      if (kExtra || s.log2_opacity > kLog2MaxAlpha)
        blend_splat<true, kExtra>(s, chunk.patches[i], x0, y0, state.patches, extra);
      else
        blend_splat<false, kExtra>(s, chunk.patches[i], x0, y0, state.patches, extra);
    }
    alive = unfinished(state.patches) & inside;
  }
  if (job.touched != nullptr)
    for (int i = begin; i < job.count; i++) job.touched[i] = 0;  // hidden behind what is opaque
}

void blend(const TileJob& job, TileState& state) {
  job.channels > 0 ? blend_tile<true>(job, state) : blend_tile<false>(job, state);
}

}  // namespace

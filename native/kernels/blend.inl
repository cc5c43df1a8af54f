// Alpha blending of one tile, front to back.
namespace {

// Which of the tile's sub-tiles a splat may touch: bit b for sub-tile (b % 4, b / 4). The exponent is concave, so
// its tangent plane at the centre of a sub-tile bounds it from above.
inline std::uint32_t touched_sub_tiles(const Splat& s, float x0, float y0) {
  std::uint32_t touched = 0;
  for (int h = 0; h < kSubTiles / Vec::N; h++) {
    const Vec i = lane_index() + Vec(static_cast<float>(h * Vec::N));
    const Vec row = floor_positive(i * Vec(0.25f));
    const Vec dx = fma(fnma(row, Vec(4.0f), i), Vec(8.0f), Vec(x0 + 4.0f - s.x));
    const Vec dy = fma(row, Vec(8.0f), Vec(y0 + 4.0f - s.y));
    const Vec u = fma(Vec(s.u_x), dx, Vec(s.u_y) * dy), v = Vec(s.v_y) * dy;
    const Vec exponent = fnma(v, v, fnma(u, u, Vec(s.log2_opacity)));
    const Vec slope = abs(u * Vec(s.u_x)) + abs(fma(u, Vec(s.u_y), v * Vec(s.v_y)));  // half of |d/dx| + |d/dy|
    const Mask hit = ge(fma(slope, Vec(7.0f), exponent), Vec(kLog2MinAlpha)) &
                     ge(Vec(s.half_width + 3.5f), abs(dx)) & ge(Vec(s.half_height + 3.5f), abs(dy));
    touched |= bits(hit) << (h * Vec::N);
  }
  return touched;
}

inline std::uint32_t id_at(const IdList& list, int i) { return list.narrow ? list.narrow[i] : list.wide[i]; }

// A sub-tile is 64 pixels, row by row, in 64 / N vectors.
constexpr int kVectors = kSubTile * kSubTile / Vec::N;
constexpr int kPerRow = Vec::N < kSubTile ? kSubTile / Vec::N : 1;         // vectors per row of pixels
constexpr int kRowsPerVector = Vec::N < kSubTile ? 1 : Vec::N / kSubTile;  // rows of pixels per vector

// Splats are taken in chunks: the chunk is copied together once and masked for all sub-tiles.
constexpr int kChunk = 256;
constexpr int kAhead = 16;  // splats lie anywhere in memory: fetch them some iterations early

// Extra channels of the splats in a chunk, and where a sub-tile collects them: [channels, 64].
struct ExtraChannels {
  const float* of[kChunk];
  float* sums;
  int count;
};

// Adds `count` splats of `chunk` to a sub-tile with its top left pixel centre at (x, y). Returns false when all its
// pixels are finished; a finished pixel has a negative transmittance, which no later splat passes.
template <bool kExtra>
inline bool blend_sub_tile(const Splat* chunk, const std::uint16_t* list, int count, float x, float y,
                           float* transmittance, float (*color)[kSubTile * kSubTile], const ExtraChannels& extra) {
  const Vec lane_row = kPerRow > 1 ? Vec(0.0f) : floor_positive(lane_index() * Vec(1.0f / kSubTile));
  const Vec lane_column = fnma(lane_row, Vec(static_cast<float>(kSubTile)), lane_index());
  const Vec X = lane_column + Vec(x), Y = lane_row + Vec(y);
  Vec T[kVectors], R[kVectors], G[kVectors], B[kVectors];
#pragma GCC unroll 16
  for (int k = 0; k < kVectors; k++) {
    T[k] = load(transmittance + k * Vec::N);
    R[k] = load(color[0] + k * Vec::N);
    G[k] = load(color[1] + k * Vec::N);
    B[k] = load(color[2] + k * Vec::N);
  }
  bool alive = true;
  for (int i = 0; i < count && alive; i++) {
    const Splat& s = chunk[list[i]];
    const Vec dx = X - Vec(s.x), dy = Y - Vec(s.y), top = Vec(s.log2_opacity);
    const Vec step_u = Vec(s.u_y) * Vec(static_cast<float>(kRowsPerVector));
    const Vec step_v = Vec(s.v_y) * Vec(static_cast<float>(kRowsPerVector));
    const Vec red(s.r), green(s.g), blue(s.b);
    Vec u[kPerRow], v = Vec(s.v_y) * dy;
    u[0] = fma(Vec(s.u_x), dx, Vec(s.u_y) * dy);
    for (int c = 1; c < kPerRow; c++) u[c] = fma(Vec(s.u_x), Vec(static_cast<float>(c * Vec::N)), u[0]);
#pragma GCC unroll 16
    for (int k = 0; k < kVectors; k++) {
      const int c = k % kPerRow;
      const Vec q = fnma(u[c], u[c], fnma(v, v, top));
      const Vec alpha = min(exp2_fast(q), Vec(kMaxAlpha));
      const Vec share = alpha * T[k];
      const Mask hit = ge(q, Vec(kLog2MinAlpha)), drawn = hit & gt(T[k] - share, Vec(kMinTransmittance));
      const Vec w = keep(drawn, share);
      R[k] = fma(w, red, R[k]);
      G[k] = fma(w, green, G[k]);
      B[k] = fma(w, blue, B[k]);
      if (kExtra)
        for (int e = 0; e < extra.count; e++) {
          float* sum = extra.sums + e * kSubTile * kSubTile + k * Vec::N;
          store(sum, fma(w, Vec(extra.of[list[i]][e]), load(sum)));
        }
      T[k] = negative_where(and_not(hit, drawn), T[k] - w);
      u[c] = u[c] + step_u;
      if (c == kPerRow - 1) v = v + step_v;
    }
    if ((i & 7) == 7) {
      Vec most = T[0];
#pragma GCC unroll 16
      for (int k = 1; k < kVectors; k++) most = max(most, T[k]);
      alive = any(gt(most, Vec(kMinTransmittance)));
    }
  }
#pragma GCC unroll 16
  for (int k = 0; k < kVectors; k++) {
    store(transmittance + k * Vec::N, T[k]);
    store(color[0] + k * Vec::N, R[k]);
    store(color[1] + k * Vec::N, G[k]);
    store(color[2] + k * Vec::N, B[k]);
  }
  return alive;
}

// The sums of sub-tile b: [channels, 64].
inline float* extra_sums(const TileJob& job, const TileState& state, int b) {
  return state.extra + static_cast<std::ptrdiff_t>(b) * job.channels * kSubTile * kSubTile;
}

inline std::uint32_t sub_tiles_inside(const TileJob& job) {
  std::uint32_t inside = 0;
  for (int b = 0; b < kSubTiles; b++)
    if (job.x0 + b % 4 * kSubTile < job.width && job.y0 + b / 4 * kSubTile < job.height) inside |= 1u << b;
  return inside;
}

template <bool kExtra>
void blend_tile(const TileJob& job, TileState& state) {
  alignas(64) Splat chunk[kChunk];
  ExtraChannels extra;
  extra.count = job.channels;
  alignas(64) std::uint16_t masks[kChunk], list[kChunk + 32];
  const float x0 = static_cast<float>(job.x0), y0 = static_cast<float>(job.y0);
  std::uint32_t alive = sub_tiles_inside(job);
  state.touched = 0;
  for (int begin = 0; begin < job.count && alive; begin += kChunk) {
    const int count = smaller(kChunk, job.count - begin);
    for (int i = 0; i < count; i++) {
      if (i + kAhead < count) __builtin_prefetch(job.splats + id_at(job.list, begin + i + kAhead));
      const std::uint32_t id = id_at(job.list, begin + i);
      chunk[i] = job.splats[id];
      if (kExtra) extra.of[i] = job.extra + static_cast<std::ptrdiff_t>(id) * job.channels;
      masks[i] = static_cast<std::uint16_t>(touched_sub_tiles(chunk[i], x0, y0));
    }
    for (int i = count; i < ((count + 31) & ~31); i++) masks[i] = 0;
    for (std::uint32_t rest = alive; rest; rest &= rest - 1) {
      const int b = __builtin_ctz(rest);
      const int n = compress(masks, count, 1u << b, list);
      if (n == 0) continue;
      if (!(state.touched >> b & 1)) {
        for (int p = 0; p < kSubTile * kSubTile; p++) state.transmittance[b][p] = 1.0f;
        std::memset(state.color[b], 0, sizeof state.color[b]);
        if (kExtra) std::memset(extra_sums(job, state, b), 0, sizeof(float) * kSubTile * kSubTile * job.channels);
        state.touched |= 1u << b;
      }
      if (kExtra) extra.sums = extra_sums(job, state, b);
      const float x = x0 + static_cast<float>(b % 4 * kSubTile) + 0.5f;
      const float y = y0 + static_cast<float>(b / 4 * kSubTile) + 0.5f;
      if (!blend_sub_tile<kExtra>(chunk, list, n, x, y, state.transmittance[b], state.color[b], extra))
        alive &= ~(1u << b);
    }
  }
  for (std::uint32_t rest = state.touched; rest; rest &= rest - 1) {  // the sign has done its work
    float* transmittance = state.transmittance[__builtin_ctz(rest)];
    for (int p = 0; p < kSubTile * kSubTile; p += Vec::N) store(transmittance + p, abs(load(transmittance + p)));
  }
}

void blend(const TileJob& job, TileState& state) {
  job.channels > 0 ? blend_tile<true>(job, state) : blend_tile<false>(job, state);
}

}  // namespace

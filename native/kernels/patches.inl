// A tile as 8x8 patches of 4x4 pixels: which of them a splat may touch. Patch p lies at column p % 8, row p / 8.
namespace {

constexpr int kPatchColumns = kTile / kPatch;
constexpr int kPatchVectors = kPatchPixels / Vec::N;
constexpr float kRowsPerVector = static_cast<float>(Vec::N / kPatch);
constexpr int kAhead = 16;  // splats lie anywhere in memory: fetch them some iterations early

// Offsets of the patches from the tile's corner, px.
struct PatchOffsets {
  float x[kPatches], y[kPatches];
};
constexpr PatchOffsets patch_offsets() {
  PatchOffsets offsets{};
  for (int p = 0; p < kPatches; p++) {
    offsets.x[p] = static_cast<float>(p % kPatchColumns * kPatch);
    offsets.y[p] = static_cast<float>(p / kPatchColumns * kPatch);
  }
  return offsets;
}
constexpr PatchOffsets kPatchOffsets = patch_offsets();

// The right end of the splat's ellipse in each of the eight rows of patches, then the left ends with their sign turned:
// both are `sign` times the centre plus a root.
struct alignas(64) SpanLanes {
  float row_px[16], sign[16], rounding[16];
};
constexpr SpanLanes span_lanes() {
  constexpr float kSlackPx = 0.01f;  // for the rounding of the ends
  SpanLanes lanes{};
  for (int i = 0; i < 16; i++) {
    lanes.row_px[i] = static_cast<float>(i % 8 * kPatch) + 0.5f;
    lanes.sign[i] = i < 8 ? 1.0f : -1.0f;
    // floor((x + 3) / 4) is the patch of pixel ceil(x), floor(x / 4) that of pixel floor(x).
    lanes.rounding[i] = kSlackPx + (i < 8 ? 0.0f : static_cast<float>(kPatch - 1));
  }
  return lanes;
}
constexpr SpanLanes kSpanLanes = span_lanes();

// Patches with a pixel whose centre may lie in the ellipse where alpha >= 1/255. In a band of rows the ellipse's ends
// are widest at the band's point nearest to the height of its outermost points.
inline std::uint64_t touched_patches(const Splat& s, float x0, float y0) {
  constexpr float kSlack = 2e-3f;  // for the rounding of the exponent
  alignas(64) float ends[16];
  const float reach = s.log2_opacity - kLog2MinAlpha + kSlack;
#pragma GCC unroll 4
  for (int h = 0; h < 16; h += Vec::N) {
    const Vec sign = load(kSpanLanes.sign + h), top = load(kSpanLanes.row_px + h) + Vec(y0 - s.y);
    const Vec dy = min(max(sign * Vec(s.lean), top), top + Vec(static_cast<float>(kPatch - 1)));
    const Vec v = Vec(s.v_y) * dy, root2 = fnma(v, v, Vec(reach));
    const Vec centre = sign * fma(Vec(s.skew), dy, Vec(s.x - x0 - 0.5f));
    const Vec end = fma(Vec(s.inv_u_x), sqrt(max(root2, Vec(0.0f))), centre + load(kSpanLanes.rounding + h));
    const Vec patch = floor(min(max(end * Vec(0.25f), Vec(-100.0f)), Vec(100.0f)));
    store(ends + h, where(ge(root2, Vec(0.0f)), patch, Vec(-100.0f)));
  }
  return span_bits(ends, ends + 8);
}

inline std::uint32_t id_at(const IdList& list, int i) { return list.narrow ? list.narrow[i] : list.wide[i]; }

// Splats of a tile are looked at in chunks: the latencies of finding one's patches hide behind the others.
constexpr int kChunk = 32;
struct Chunk {
  std::uint32_t id[kChunk];
  std::uint64_t patches[kChunk];
  int place[kChunk];  // in the tile's list
  int count = 0;

  void add(std::uint32_t splat, std::uint64_t touched, int at) {
    id[count] = splat;
    patches[count] = touched;
    place[count] = at;
    count += touched != 0;
  }
};

}  // namespace

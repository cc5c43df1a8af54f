// Four floats on any machine, by the vector extension of GCC and Clang (SSE2 on x86-64, NEON on ARM).
#pragma once

#include <cstddef>
#include <cstdint>
#include <cmath>
#include <cstring>

namespace {

typedef float Float4 __attribute__((vector_size(16)));
typedef std::int32_t Int4 __attribute__((vector_size(16)));
typedef std::uint32_t Uint4 __attribute__((vector_size(16)));

struct Mask {
  Int4 lanes;
};

struct Vec {
  static constexpr int N = 4;
  Float4 v;
  Vec() = default;
  Vec(Float4 a) : v(a) {}
  Vec(float a) : v{a, a, a, a} {}
};

inline Vec load(const float* p) {
  Vec a;
  std::memcpy(&a.v, p, sizeof a.v);
  return a;
}
inline void store(float* p, Vec a) { std::memcpy(p, &a.v, sizeof a.v); }
// Quads of floats that lie `stride` floats apart, one after the other.
inline Vec load_quads(const float* p, std::ptrdiff_t) { return load(p); }
using Packed = float;
inline Vec unpack_vector(const Packed* p) { return load(p); }
inline void pack_vector(Packed* p, Vec a) { store(p, a); }
// The vector at p + D, given those at p - N, p and p + N.
template <int D>
inline Vec neighbour(Vec, Vec, Vec, const float* p) {
  return load(p + D);
}
inline Vec lane_index() { return Float4{0, 1, 2, 3}; }

inline Vec operator+(Vec a, Vec b) { return a.v + b.v; }
inline Vec operator-(Vec a, Vec b) { return a.v - b.v; }
inline Vec operator*(Vec a, Vec b) { return a.v * b.v; }
inline Vec fma(Vec a, Vec b, Vec c) { return a.v * b.v + c.v; }
inline Vec fnma(Vec a, Vec b, Vec c) { return c.v - a.v * b.v; }
inline Vec select(Int4 m, Vec a, Vec b) { return (Float4)((m & (Int4)a.v) | (~m & (Int4)b.v)); }
inline Vec min(Vec a, Vec b) { return select(a.v < b.v, a, b); }
inline Vec max(Vec a, Vec b) { return select(a.v > b.v, a, b); }
inline Vec abs(Vec a) { return (Float4)((Int4)a.v & 0x7fffffff); }
inline Vec floor(Vec a) {  // |a| < 2^31
  const Float4 t = __builtin_convertvector(__builtin_convertvector(a.v, Int4), Float4);
  return t - (Float4)((t > a.v) & (Int4)Float4{1, 1, 1, 1});
}
inline Vec reciprocal(Vec a) { return 1.0f / a.v; }

inline Mask ge(Vec a, Vec b) { return {a.v >= b.v}; }
inline Mask gt(Vec a, Vec b) { return {a.v > b.v}; }
inline Mask operator&(Mask a, Mask b) { return {a.lanes & b.lanes}; }
inline Vec keep(Mask m, Vec a) { return (Float4)(m.lanes & (Int4)a.v); }
inline bool any(Mask m) { return (m.lanes[0] | m.lanes[1] | m.lanes[2] | m.lanes[3]) != 0; }

// p * 2^n, where the low bits of the float `t` hold the integer n (see exp2_fast).
inline Vec add_exponent(Vec p, Vec t) { return (Float4)((Uint4)p.v + ((Uint4)t.v << 23)); }

inline Vec where(Mask m, Vec a, Vec b) { return select(m.lanes, a, b); }
// What is left of T after a splat of weight w (0 where the pixel ends): there with its sign set.
inline Vec passed(Mask lives, Vec, Vec T, Vec w) {
  return (Float4)((Uint4)(T.v - w.v) | (~(Uint4)lives.lanes & 0x80000000u));
}
inline Vec sqrt(Vec a) { return Float4{std::sqrt(a.v[0]), std::sqrt(a.v[1]), std::sqrt(a.v[2]), std::sqrt(a.v[3])}; }

// A row of four pixels to bytes; 0 <= levels < 256. Sixteen bytes may be overwritten.
inline void store_rgb8(std::uint8_t* out, std::ptrdiff_t, Vec r, Vec g, Vec b) {
  for (int i = 0; i < 4; i++) {
    out[3 * i] = static_cast<std::uint8_t>(r.v[i]);
    out[3 * i + 1] = static_cast<std::uint8_t>(g.v[i]);
    out[3 * i + 2] = static_cast<std::uint8_t>(b.v[i]);
  }
}

// Eight spans of patches, one per row of a tile, to bits: bits first[i]..last[i] of byte i are set; bounds beyond 0..7
// are cut off, and a span that ends before it begins is empty.
inline std::uint64_t span_bits(const float* last, const float* minus_first) {
  std::uint64_t out = 0;
  for (int i = 0; i < 8; i++) {
    const int r = last[i] < 7.0f ? static_cast<int>(last[i]) : 7, l = minus_first[i] < 0.0f ? static_cast<int>(-minus_first[i]) : 0;
    const std::uint64_t row = l <= r ? (2u << r) - (1u << l) : 0u;
    out |= row << (8 * i);
  }
  return out;
}

inline float sum(Vec a) { return (a.v[0] + a.v[1]) + (a.v[2] + a.v[3]); }
inline void store_sums(float* out, const Vec* a) {
  for (int i = 0; i < 9; i++) out[i] = sum(a[i]);
}

// 1 / sqrt(a) for normal a > 0.
inline Vec reciprocal_sqrt(Vec a) {
  return Float4{1.0f / __builtin_sqrtf(a.v[0]), 1.0f / __builtin_sqrtf(a.v[1]), 1.0f / __builtin_sqrtf(a.v[2]),
                1.0f / __builtin_sqrtf(a.v[3])};
}

}  // namespace

// Four floats on any machine, by the vector extension of GCC and Clang (SSE2 on x86-64, NEON on ARM).
#pragma once

#include <cstddef>
#include <cstdint>
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
// Eight floats of a row, then of the next rows, as far as they fit: the pixels of a vector of an 8x8 sub-tile.
inline Vec load_rows(const float* p, std::ptrdiff_t) { return load(p); }
inline void store_rows(float* p, std::ptrdiff_t, Vec a) { store(p, a); }
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
inline Vec floor_positive(Vec a) { return __builtin_convertvector(__builtin_convertvector(a.v, Int4), Float4); }
inline Vec reciprocal(Vec a) { return 1.0f / a.v; }

inline Mask ge(Vec a, Vec b) { return {a.v >= b.v}; }
inline Mask gt(Vec a, Vec b) { return {a.v > b.v}; }
inline Mask operator&(Mask a, Mask b) { return {a.lanes & b.lanes}; }
inline Mask and_not(Mask a, Mask b) { return {a.lanes & ~b.lanes}; }
inline Vec keep(Mask m, Vec a) { return (Float4)(m.lanes & (Int4)a.v); }
// Sets the sign bit where m is set.
inline Vec negative_where(Mask m, Vec a) { return (Float4)((Int4)a.v | (m.lanes & INT32_MIN)); }
inline std::uint32_t bits(Mask m) {
  const Int4 b = m.lanes & Int4{1, 2, 4, 8};
  return static_cast<std::uint32_t>(b[0] | b[1] | b[2] | b[3]);
}
inline bool any(Mask m) { return (m.lanes[0] | m.lanes[1] | m.lanes[2] | m.lanes[3]) != 0; }

// p * 2^n, where the low bits of the float `t` hold the integer n (see exp2_fast).
inline Vec add_exponent(Vec p, Vec t) { return (Float4)((Uint4)p.v + ((Uint4)t.v << 23)); }

inline float sum(Vec a) { return (a.v[0] + a.v[1]) + (a.v[2] + a.v[3]); }
inline void store_sums(float* out, const Vec* a) {
  for (int i = 0; i < 9; i++) out[i] = sum(a[i]);
}

// Indices i < count with `bit` set in masks[i]; may write up to 31 entries too many.
inline int compress(const std::uint16_t* masks, int count, std::uint32_t bit, std::uint16_t* out) {
  int n = 0;
  for (int i = 0; i < count; i++) {
    out[n] = static_cast<std::uint16_t>(i);
    n += (masks[i] & bit) != 0;
  }
  return n;
}

// 1 / sqrt(a) for normal a > 0.
inline Vec reciprocal_sqrt(Vec a) {
  return Float4{1.0f / __builtin_sqrtf(a.v[0]), 1.0f / __builtin_sqrtf(a.v[1]), 1.0f / __builtin_sqrtf(a.v[2]),
                1.0f / __builtin_sqrtf(a.v[3])};
}

}  // namespace

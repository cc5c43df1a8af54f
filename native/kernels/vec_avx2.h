// Eight floats with AVX2 and FMA. The same functions as vec_portable.h.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace {

struct Mask {
  __m256 lanes;
};

struct Vec {
  static constexpr int N = 8;
  __m256 v;
  Vec() = default;
  Vec(__m256 a) : v(a) {}
  Vec(float a) : v(_mm256_set1_ps(a)) {}
};

inline Vec load(const float* p) { return _mm256_loadu_ps(p); }
inline void store(float* p, Vec a) { _mm256_storeu_ps(p, a.v); }
// Quads of floats that lie `stride` floats apart, one after the other.
inline Vec load_quads(const float* p, std::ptrdiff_t stride) {
  return _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(p)), _mm_loadu_ps(p + stride), 1);
}
using Packed = std::uint16_t;  // half precision
inline Vec unpack_vector(const Packed* p) {
  return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}
inline void pack_vector(Packed* p, Vec a) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm256_cvtps_ph(a.v, _MM_FROUND_TO_NEAREST_INT));
}
// The vector at p + D, given those at p - N, p and p + N.
template <int D>
inline Vec neighbour(Vec, Vec, Vec, const float* p) {
  return load(p + D);
}
inline Vec lane_index() { return _mm256_setr_ps(0, 1, 2, 3, 4, 5, 6, 7); }

inline Vec operator+(Vec a, Vec b) { return _mm256_add_ps(a.v, b.v); }
inline Vec operator-(Vec a, Vec b) { return _mm256_sub_ps(a.v, b.v); }
inline Vec operator*(Vec a, Vec b) { return _mm256_mul_ps(a.v, b.v); }
inline Vec fma(Vec a, Vec b, Vec c) { return _mm256_fmadd_ps(a.v, b.v, c.v); }
inline Vec fnma(Vec a, Vec b, Vec c) { return _mm256_fnmadd_ps(a.v, b.v, c.v); }
inline Vec min(Vec a, Vec b) { return _mm256_min_ps(a.v, b.v); }
inline Vec max(Vec a, Vec b) { return _mm256_max_ps(a.v, b.v); }
inline Vec abs(Vec a) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), a.v); }
inline Vec floor(Vec a) { return _mm256_floor_ps(a.v); }
inline Vec reciprocal(Vec a) {  // one Newton step: about 2^-22
  const __m256 r = _mm256_rcp_ps(a.v);
  return _mm256_mul_ps(r, _mm256_fnmadd_ps(a.v, r, _mm256_set1_ps(2.0f)));
}

inline Mask ge(Vec a, Vec b) { return {_mm256_cmp_ps(a.v, b.v, _CMP_GE_OQ)}; }
inline Mask gt(Vec a, Vec b) { return {_mm256_cmp_ps(a.v, b.v, _CMP_GT_OQ)}; }
inline Mask operator&(Mask a, Mask b) { return {_mm256_and_ps(a.lanes, b.lanes)}; }
inline Vec keep(Mask m, Vec a) { return _mm256_and_ps(m.lanes, a.v); }
inline bool any(Mask m) { return _mm256_movemask_ps(m.lanes) != 0; }

inline Vec add_exponent(Vec p, Vec t) {
  return _mm256_castsi256_ps(
      _mm256_add_epi32(_mm256_castps_si256(p.v), _mm256_slli_epi32(_mm256_castps_si256(t.v), 23)));
}

inline Vec where(Mask m, Vec a, Vec b) { return _mm256_blendv_ps(b.v, a.v, m.lanes); }
// What is left of T after a splat of weight w (0 where the pixel ends): there with its sign set.
inline Vec passed(Mask lives, Vec, Vec T, Vec w) {
  return _mm256_or_ps(_mm256_sub_ps(T.v, w.v), _mm256_andnot_ps(lives.lanes, _mm256_set1_ps(-0.0f)));
}
inline Vec sqrt(Vec a) { return _mm256_sqrt_ps(a.v); }
// Two rows of four pixels to bytes, rows `stride` bytes apart; 0 <= levels < 256. Sixteen bytes a row are overwritten.
inline void store_rgb8(std::uint8_t* out, std::ptrdiff_t stride, Vec r, Vec g, Vec b) {
  const __m256i green = _mm256_slli_epi32(_mm256_cvttps_epi32(g.v), 8), blue = _mm256_slli_epi32(_mm256_cvttps_epi32(b.v), 16);
  const __m256i pixels = _mm256_or_si256(_mm256_or_si256(_mm256_cvttps_epi32(r.v), green), blue);
  const __m256i rows = _mm256_shuffle_epi8(
      pixels, _mm256_broadcastsi128_si256(_mm_setr_epi8(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1)));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out), _mm256_castsi256_si128(rows));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out + stride), _mm256_extracti128_si256(rows, 1));
}
#include "span_bits_x86.h"

inline __m128 sum4(__m256 a, __m256 b, __m256 c, __m256 d) {
  const __m256 s = _mm256_hadd_ps(_mm256_hadd_ps(a, b), _mm256_hadd_ps(c, d));
  return _mm_add_ps(_mm256_castps256_ps128(s), _mm256_extractf128_ps(s, 1));
}
inline float sum(Vec a) {
  const __m256 z = _mm256_setzero_ps();
  return _mm_cvtss_f32(sum4(a.v, z, z, z));
}
inline void store_sums(float* out, const Vec* a) {
  _mm_store_ps(out, sum4(a[0].v, a[1].v, a[2].v, a[3].v));
  _mm_store_ps(out + 4, sum4(a[4].v, a[5].v, a[6].v, a[7].v));
  out[8] = sum(a[8]);
}

// 1 / sqrt(a) for normal a > 0, to about 2^-22: one Newton step.
inline Vec reciprocal_sqrt(Vec a) {
  const __m256 r = _mm256_rsqrt_ps(a.v), half = _mm256_mul_ps(_mm256_mul_ps(a.v, r), _mm256_set1_ps(0.5f));
  return _mm256_mul_ps(r, _mm256_fnmadd_ps(half, r, _mm256_set1_ps(1.5f)));
}

}  // namespace

// Sixteen floats with AVX-512 (F, BW, DQ, VL). The same functions as vec_portable.h.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace {

struct Mask {
  __mmask16 lanes;
};

struct Vec {
  static constexpr int N = 16;
  __m512 v;
  Vec() = default;
  Vec(__m512 a) : v(a) {}
  Vec(float a) : v(_mm512_set1_ps(a)) {}
};

inline Vec load(const float* p) { return _mm512_loadu_ps(p); }
inline void store(float* p, Vec a) { _mm512_storeu_ps(p, a.v); }
// Quads of floats that lie `stride` floats apart, one after the other.
inline Vec load_quads(const float* p, std::ptrdiff_t stride) {
  __m512 a = _mm512_castps128_ps512(_mm_loadu_ps(p));
  a = _mm512_insertf32x4(a, _mm_loadu_ps(p + stride), 1);
  a = _mm512_insertf32x4(a, _mm_loadu_ps(p + 2 * stride), 2);
  return _mm512_insertf32x4(a, _mm_loadu_ps(p + 3 * stride), 3);
}
using Packed = std::uint16_t;  // half precision
inline Vec unpack_vector(const Packed* p) {
  return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
}
inline void pack_vector(Packed* p, Vec a) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_cvtps_ph(a.v, _MM_FROUND_TO_NEAREST_INT));
}
// The vector at p + D, given those at p - N, p and p + N. Made from registers: a load that straddles two cache lines,
// as nearly all would here, takes twice as long.
template <int D>
inline Vec neighbour(Vec left, Vec centre, Vec right, const float*) {
  if constexpr (D == 0) return centre;
  const __m512i a = _mm512_castps_si512(D < 0 ? left.v : centre.v), b = _mm512_castps_si512(D < 0 ? centre.v : right.v);
  return _mm512_castsi512_ps(_mm512_alignr_epi32(b, a, (D + Vec::N) % Vec::N));
}
inline Vec lane_index() { return _mm512_setr_ps(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15); }

inline Vec operator+(Vec a, Vec b) { return _mm512_add_ps(a.v, b.v); }
inline Vec operator-(Vec a, Vec b) { return _mm512_sub_ps(a.v, b.v); }
inline Vec operator*(Vec a, Vec b) { return _mm512_mul_ps(a.v, b.v); }
inline Vec fma(Vec a, Vec b, Vec c) { return _mm512_fmadd_ps(a.v, b.v, c.v); }
inline Vec fnma(Vec a, Vec b, Vec c) { return _mm512_fnmadd_ps(a.v, b.v, c.v); }
inline Vec min(Vec a, Vec b) { return _mm512_min_ps(a.v, b.v); }
inline Vec max(Vec a, Vec b) { return _mm512_max_ps(a.v, b.v); }
inline Vec abs(Vec a) { return _mm512_abs_ps(a.v); }
inline Vec floor(Vec a) { return _mm512_roundscale_ps(a.v, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC); }
inline Vec reciprocal(Vec a) {  // one Newton step: about 2^-23
  const __m512 r = _mm512_rcp14_ps(a.v);
  return _mm512_mul_ps(r, _mm512_fnmadd_ps(a.v, r, _mm512_set1_ps(2.0f)));
}

inline Mask ge(Vec a, Vec b) { return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_GE_OQ)}; }
inline Mask gt(Vec a, Vec b) { return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_GT_OQ)}; }
inline Mask operator&(Mask a, Mask b) { return {static_cast<__mmask16>(a.lanes & b.lanes)}; }
inline Vec keep(Mask m, Vec a) { return _mm512_maskz_mov_ps(m.lanes, a.v); }
inline bool any(Mask m) { return m.lanes != 0; }

inline Vec add_exponent(Vec p, Vec t) {
  return _mm512_castsi512_ps(
      _mm512_add_epi32(_mm512_castps_si512(p.v), _mm512_slli_epi32(_mm512_castps_si512(t.v), 23)));
}

inline Vec where(Mask m, Vec a, Vec b) { return _mm512_mask_mov_ps(b.v, m.lanes, a.v); }
// What is left of T after a splat: `next` where the pixel lives on, else T with its sign set.
inline Vec passed(Mask lives, Vec next, Vec T, Vec) {
  return _mm512_mask_mov_ps(_mm512_or_ps(T.v, _mm512_set1_ps(-0.0f)), lives.lanes, next.v);
}
inline Vec sqrt(Vec a) { return _mm512_sqrt_ps(a.v); }
// Four rows of four pixels to bytes, rows `stride` bytes apart; 0 <= levels < 256. Sixteen bytes a row are overwritten.
inline void store_rgb8(std::uint8_t* out, std::ptrdiff_t stride, Vec r, Vec g, Vec b) {
  const __m512i green = _mm512_slli_epi32(_mm512_cvttps_epi32(g.v), 8), blue = _mm512_slli_epi32(_mm512_cvttps_epi32(b.v), 16);
  const __m512i pixels = _mm512_or_si512(_mm512_or_si512(_mm512_cvttps_epi32(r.v), green), blue);
  const __m512i rows = _mm512_shuffle_epi8(
      pixels, _mm512_broadcast_i32x4(_mm_setr_epi8(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1)));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out), _mm512_castsi512_si128(rows));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out + stride), _mm512_extracti32x4_epi32(rows, 1));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out + 2 * stride), _mm512_extracti32x4_epi32(rows, 2));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out + 3 * stride), _mm512_extracti32x4_epi32(rows, 3));
}
#define LOCUTOR_HAS_EXP2_WHERE
// 2^q where `m` is set, else 0; relative error below 3e-6.
inline Vec exp2_where(Mask m, Vec q) {
  const __m512 f = _mm512_reduce_ps(q.v, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
  __m512 p = _mm512_fmadd_ps(_mm512_set1_ps(0.01353417f), f, _mm512_set1_ps(0.05201146f));
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(0.24144276f));
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(0.69300383f));
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(1.00000259f));
  return _mm512_maskz_scalef_ps(m.lanes, p, q.v);
}
#include "span_bits_x86.h"

inline __m256 fold(Vec a) { return _mm256_add_ps(_mm512_castps512_ps256(a.v), _mm512_extractf32x8_ps(a.v, 1)); }
inline __m128 sum4(__m256 a, __m256 b, __m256 c, __m256 d) {
  const __m256 s = _mm256_hadd_ps(_mm256_hadd_ps(a, b), _mm256_hadd_ps(c, d));
  return _mm_add_ps(_mm256_castps256_ps128(s), _mm256_extractf128_ps(s, 1));
}
inline float sum(Vec a) { return _mm512_reduce_add_ps(a.v); }
inline void store_sums(float* out, const Vec* a) {
  _mm_store_ps(out, sum4(fold(a[0]), fold(a[1]), fold(a[2]), fold(a[3])));
  _mm_store_ps(out + 4, sum4(fold(a[4]), fold(a[5]), fold(a[6]), fold(a[7])));
  out[8] = sum(a[8]);
}

// 1 / sqrt(a) for normal a > 0, to about 2^-23: one Newton step.
inline Vec reciprocal_sqrt(Vec a) {
  const __m512 r = _mm512_rsqrt14_ps(a.v), half = _mm512_mul_ps(_mm512_mul_ps(a.v, r), _mm512_set1_ps(0.5f));
  return _mm512_mul_ps(r, _mm512_fnmadd_ps(half, r, _mm512_set1_ps(1.5f)));
}

}  // namespace

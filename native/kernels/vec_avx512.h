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
// Eight floats of a row, then of the next rows, as far as they fit: the pixels of a vector of an 8x8 sub-tile.
inline Vec load_rows(const float* p, std::ptrdiff_t row) {
  return _mm512_insertf32x8(_mm512_castps256_ps512(_mm256_loadu_ps(p)), _mm256_loadu_ps(p + row), 1);
}
inline void store_rows(float* p, std::ptrdiff_t row, Vec a) {
  _mm256_storeu_ps(p, _mm512_castps512_ps256(a.v));
  _mm256_storeu_ps(p + row, _mm512_extractf32x8_ps(a.v, 1));
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
inline Vec floor_positive(Vec a) { return _mm512_roundscale_ps(a.v, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC); }
inline Vec reciprocal(Vec a) {  // one Newton step: about 2^-23
  const __m512 r = _mm512_rcp14_ps(a.v);
  return _mm512_mul_ps(r, _mm512_fnmadd_ps(a.v, r, _mm512_set1_ps(2.0f)));
}

inline Mask ge(Vec a, Vec b) { return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_GE_OQ)}; }
inline Mask gt(Vec a, Vec b) { return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_GT_OQ)}; }
inline Mask operator&(Mask a, Mask b) { return {static_cast<__mmask16>(a.lanes & b.lanes)}; }
inline Mask and_not(Mask a, Mask b) { return {static_cast<__mmask16>(a.lanes & ~b.lanes)}; }
inline Vec keep(Mask m, Vec a) { return _mm512_maskz_mov_ps(m.lanes, a.v); }
// Sets the sign bit where m is set.
inline Vec negative_where(Mask m, Vec a) { return _mm512_mask_or_ps(a.v, m.lanes, a.v, _mm512_set1_ps(-0.0f)); }
inline std::uint32_t bits(Mask m) { return m.lanes; }
inline bool any(Mask m) { return m.lanes != 0; }

inline Vec add_exponent(Vec p, Vec t) {
  return _mm512_castsi512_ps(
      _mm512_add_epi32(_mm512_castps_si512(p.v), _mm512_slli_epi32(_mm512_castps_si512(t.v), 23)));
}

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

inline int compress(const std::uint16_t* masks, int count, std::uint32_t bit, std::uint16_t* out) {
  int n = 0;
  const __m512i b = _mm512_set1_epi32(static_cast<int>(bit));
  __m512i index = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  for (int i = 0; i < count; i += 16) {  // masks are zero-padded to a multiple of 32
    const __m512i m = _mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(masks + i)));
    const __mmask16 hit = _mm512_test_epi32_mask(m, b);
    const __m256i packed = _mm512_cvtepi32_epi16(_mm512_maskz_compress_epi32(hit, index));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + n), packed);
    n += __builtin_popcount(hit);
    index = _mm512_add_epi32(index, _mm512_set1_epi32(16));
  }
  return n;
}

// 1 / sqrt(a) for normal a > 0, to about 2^-23: one Newton step.
inline Vec reciprocal_sqrt(Vec a) {
  const __m512 r = _mm512_rsqrt14_ps(a.v), half = _mm512_mul_ps(_mm512_mul_ps(a.v, r), _mm512_set1_ps(0.5f));
  return _mm512_mul_ps(r, _mm512_fnmadd_ps(half, r, _mm512_set1_ps(1.5f)));
}

}  // namespace

// Eight spans of patches, one per row of a tile, to bits. Needs AVX2.
// Bits first[i]..last[i] of byte i are set; bounds beyond 0..7 are cut off, and a span that ends before it begins is empty.
inline std::uint64_t span_bits(const float* last, const float* minus_first) {
  const __m256i zero = _mm256_setzero_si256(), one = _mm256_set1_epi32(1);
  const __m256i r = _mm256_min_epi32(_mm256_cvttps_epi32(_mm256_load_ps(last)), _mm256_set1_epi32(7));
  const __m256i l = _mm256_max_epi32(_mm256_sub_epi32(zero, _mm256_cvttps_epi32(_mm256_load_ps(minus_first))), zero);
  const __m256i bits = _mm256_sub_epi32(_mm256_sllv_epi32(_mm256_add_epi32(one, one), r), _mm256_sllv_epi32(one, l));
  const __m256i rows = _mm256_andnot_si256(_mm256_cmpgt_epi32(l, r), bits);
  const __m256i bytes = _mm256_shuffle_epi8(
      rows, _mm256_setr_epi8(0, 4, 8, 12, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
                             0, 4, 8, 12, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1));
  const std::uint32_t low = static_cast<std::uint32_t>(_mm256_extract_epi32(bytes, 0));
  const std::uint32_t high = static_cast<std::uint32_t>(_mm256_extract_epi32(bytes, 4));
  return low | static_cast<std::uint64_t>(high) << 32;
}

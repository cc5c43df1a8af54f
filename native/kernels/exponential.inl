// 2^q and friends by range reduction and a polynomial. Must not be compiled with -fassociative-math: it would fold
// (q + magic) - magic.
namespace {

constexpr float kRoundMagic = 12582912.0f;  // 1.5 * 2^23: adding it leaves the rounded integer in the low bits

// 2^q for |q| < 120, relative error below 5e-6.
inline Vec exp2_fast(Vec q) {
  const Vec t = q + Vec(kRoundMagic);
  const Vec f = q - (t - Vec(kRoundMagic));
  Vec p = fma(Vec(0.00961813f), f, Vec(0.05550411f));
  p = fma(fma(fma(p, f, Vec(0.24022651f)), f, Vec(0.69314718f)), f, Vec(1.0f));
  return add_exponent(p, t);
}

#ifndef LOCUTOR_HAS_EXP2_WHERE
// 2^q where `m` is set, else 0.
inline Vec exp2_where(Mask m, Vec q) { return keep(m, exp2_fast(q)); }
#endif

inline float as_float(std::uint32_t i) {
  float x;
  std::memcpy(&x, &i, 4);
  return x;
}
inline std::uint32_t as_bits(float x) {
  std::uint32_t i;
  std::memcpy(&i, &x, 4);
  return i;
}

// e^x to float accuracy, clamped to the range of normal floats; written so that loops over it vectorise.
inline float exp_accurate(float x) {
  float q = x * 1.44269504f;
  q = q > 126.0f ? 126.0f : q;
  q = q < -126.0f ? -126.0f : q;
  const float t = q + kRoundMagic;
  const float f = q - (t - kRoundMagic);
  const float p =
      ((((((1.535336188e-4f * f + 1.339887440e-3f) * f + 9.618437357e-3f) * f + 5.550332548e-2f) * f +
         2.402264791e-1f) * f + 6.931472028e-1f) * f + 1.0f);
  return as_float(as_bits(p) + (as_bits(t) << 23));
}

inline float sigmoid(float x) { return 1.0f / (1.0f + exp_accurate(-x)); }

// log2(x) for normal x > 0, absolute error about 1e-6.
inline float log2_accurate(float x) {
  const std::int32_t i = static_cast<std::int32_t>(as_bits(x));
  const std::int32_t e = (i - 0x3f3504f3) >> 23;
  const float m = as_float(static_cast<std::uint32_t>(i - e * (1 << 23)));
  const float s = (m - 1.0f) / (m + 1.0f), s2 = s * s;
  return static_cast<float>(e) +
         2.885390082f * s * (1.0f + s2 * (0.3333333f + s2 * (0.2f + s2 * (0.142857f + s2 * 0.111111f))));
}

inline float smaller(float a, float b) { return a < b ? a : b; }
inline float larger(float a, float b) { return a > b ? a : b; }
inline int smaller(int a, int b) { return a < b ? a : b; }

}  // namespace

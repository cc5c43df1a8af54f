// The motion field of training and its gradient: whole rows of M Gaussians, as PyTorch stores them.
namespace {

// out[i] = scale sum_k coefficients[k] bases[k stride + i], i < count; returns 1 when any is not finite.
// Four bases at a time: `out` stays in the first-level cache while the bases stream by.
std::uint32_t field_row(const float* bases, std::ptrdiff_t stride, int n_bases, const float* coefficients, float scale,
                        int count, float* out) {
  std::memset(out, 0, static_cast<std::size_t>(count) * sizeof(float));
  int k = 0;
  for (; k + 4 <= n_bases; k += 4) {
    const float *p0 = bases + k * stride, *p1 = p0 + stride, *p2 = p1 + stride, *p3 = p2 + stride;
    const float c0 = scale * coefficients[k], c1 = scale * coefficients[k + 1];
    const float c2 = scale * coefficients[k + 2], c3 = scale * coefficients[k + 3];
    for (int i = 0; i < count; i++) out[i] = out[i] + (c0 * p0[i] + c1 * p1[i]) + (c2 * p2[i] + c3 * p3[i]);
  }
  for (; k < n_bases; k++) {
    const float* p = bases + k * stride;
    const float c = scale * coefficients[k];
    for (int i = 0; i < count; i++) out[i] += c * p[i];
  }
  std::uint32_t bad = 0;
  for (int i = 0; i < count; i++) bad |= not_finite(out[i]);
  return bad;
}

// Sum of a[i] b[i], i < count.
float field_dot(const float* a, const float* b, int count) {
  Vec s0(0.0f), s1(0.0f), s2(0.0f), s3(0.0f);
  int i = 0;
  for (; i + 4 * Vec::N <= count; i += 4 * Vec::N) {
    s0 = fma(load(a + i), load(b + i), s0);
    s1 = fma(load(a + i + Vec::N), load(b + i + Vec::N), s1);
    s2 = fma(load(a + i + 2 * Vec::N), load(b + i + 2 * Vec::N), s2);
    s3 = fma(load(a + i + 3 * Vec::N), load(b + i + 3 * Vec::N), s3);
  }
  for (; i < count; i += Vec::N) s0 = fma(load_within(a, i, count), load_within(b, i, count), s0);
  return sum((s0 + s1) + (s2 + s3));
}

}  // namespace

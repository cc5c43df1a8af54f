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

// One row of the bases' gradient r = scale * d, i < count: brings `mean_square` up to date and sets `direction` to r over
// its root. Returns the sum of r².
double adafactor_row(const float* d, float scale, int count, const AdafactorRow& by, float* mean_square,
                     float* direction) {
  constexpr float kSmallest = 1e-36f;  // below: 0, before numbers become denormal
  const AdafactorRow step = by;        // a copy that nothing aliases
  const auto at = [&](Vec gradient, Vec square, Vec& mean) {
    mean = fma(Vec(step.one_minus_beta), Vec(step.mean_column_square) * square - mean, mean);
    mean = keep(ge(mean, Vec(kSmallest)), mean);
    const Vec root = mean * reciprocal_sqrt(max(mean, Vec(kSmallest)));
    return gradient * reciprocal(fma(root, Vec(step.correction), Vec(step.epsilon)));
  };
  double total = 0.0;
  int i = 0;
  for (; i < count; i += Vec::N) {
    const bool whole = i + Vec::N <= count;
    const Vec r = Vec(scale) * (whole ? load(d + i) : load_within(d, i, count));
    const Vec square = r * r;
    Vec mean = whole ? load(mean_square + i) : load_within(mean_square, i, count);
    const Vec out = at(r, square, mean);
    total += sum(square);
    if (whole) {
      store(mean_square + i, mean);
      store(direction + i, out);
    } else {
      store_within(mean_square, i, count, mean);
      store_within(direction, i, count, out);
    }
  }
  return total;
}

// Sum of basis[i] d[i], i < count; then basis[i] -= move direction[i].
float field_dot_and_step(float* basis, const float* d, const float* direction, float move, int count) {
  Vec s0(0.0f), s1(0.0f);
  int i = 0;
  for (; i + 2 * Vec::N <= count; i += 2 * Vec::N) {
    const Vec b0 = load(basis + i), b1 = load(basis + i + Vec::N);
    s0 = fma(b0, load(d + i), s0);
    s1 = fma(b1, load(d + i + Vec::N), s1);
    store(basis + i, fnma(Vec(move), load(direction + i), b0));
    store(basis + i + Vec::N, fnma(Vec(move), load(direction + i + Vec::N), b1));
  }
  for (; i < count; i += Vec::N) {
    const Vec b = load_within(basis, i, count);
    s0 = fma(b, load_within(d, i, count), s0);
    store_within(basis, i, count, fnma(Vec(move), load_within(direction, i, count), b));
  }
  return sum(s0 + s1);
}

}  // namespace

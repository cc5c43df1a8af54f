// L1 and SSIM (Wang et al. 2004, eq. 13) with the gradient, in one pass down a band of rows: horizontal blurs of the
// last 11 rows are kept in rings, so the working set stays in the cache whatever the picture's height.
namespace {

constexpr int kTaps = 11, kReach = kTaps / 2;
constexpr float kC1 = 0.01f * 0.01f, kC2 = 0.03f * 0.03f;
constexpr int kMargin = 16;  // zeros on both sides of each row
// exp(-d^2 / (2 1.5^2)) for d = -5..5, divided by their sum.
constexpr float kWindow[kTaps] = {0.00102838f, 0.00759876f, 0.03600077f, 0.10936069f, 0.21300554f, 0.26601173f,
                                  0.21300554f, 0.10936069f, 0.03600077f, 0.00759876f, 0.00102838f};

inline int padded(int width) { return (width + 15) / 16 * 16; }
inline int row_stride(int width) { return padded(width) + 2 * kMargin; }

constexpr int kMoments = 4;      // blurs of x, y, x^2 + y^2, x y
constexpr int kDerivatives = 3;  // of the objective with respect to the blurs of x, x^2 + y^2, x y

// Vector i of a row of the picture, whose memory ends with the row; zeros beyond it.
inline Vec load_within(const float* row, int i, int width) {
  if (i + Vec::N <= width) return load(row + i);
  alignas(64) float rest[Vec::N] = {0};
  for (int k = 0; i + k < width; k++) rest[k] = row[i + k];
  return load(rest);
}

inline void store_within(float* row, int i, int width, Vec a) {
  if (i + Vec::N <= width) return store(row + i, a);
  alignas(64) float rest[Vec::N];
  store(rest, a);
  for (int k = 0; i + k < width; k++) row[i + k] = rest[k];
}

struct Rings {
  int stride;
  float *moments, *derivatives;  // [kTaps][planes][stride]
  float *row;                    // [kMoments][stride]: one row before its horizontal blur
  float *inside;                 // 1 where there are pixels, 0 in the padding
  float* moment(int y, int plane) const { return moments + (ring(y) * kMoments + plane) * stride; }
  float* derivative(int y, int plane) const { return derivatives + (ring(y) * kDerivatives + plane) * stride; }
  static int ring(int y) { return (y + 2 * kTaps) % kTaps; }
};

std::size_t photometric_scratch(int width) {
  return static_cast<std::size_t>(row_stride(width)) * (kTaps * (kMoments + kDerivatives) + kMoments + 1);
}

inline Rings rings_in(float* scratch, int width) {
  Rings r;
  r.stride = row_stride(width);
  std::memset(scratch, 0, photometric_scratch(width) * sizeof(float));
  r.moments = scratch;
  r.derivatives = r.moments + kTaps * kMoments * r.stride;
  r.row = r.derivatives + kTaps * kDerivatives * r.stride;
  r.inside = r.row + kMoments * r.stride;
  for (int i = 0; i < width; i++) r.inside[kMargin + i] = 1.0f;
  return r;
}

template <int... K>
inline Vec blur_at(Vec left, Vec centre, Vec right, const float* p, std::integer_sequence<int, K...>) {
  Vec total(0.0f);
  ((total = fma(Vec(kWindow[K]), neighbour<K - kReach>(left, centre, right, p), total)), ...);
  return total;
}

inline void blur_row(const float* in, float* out, int width) {
  Vec left = load(in + kMargin - Vec::N), centre = load(in + kMargin);
  for (int i = kMargin; i < kMargin + width; i += Vec::N) {
    const Vec right = load(in + i + Vec::N);
    store(out + i, blur_at(left, centre, right, in + i, std::make_integer_sequence<int, kTaps>()));
    left = centre;
    centre = right;
  }
}

// Vertical blur at column i of one plane, from the rows y - 5 .. y + 5 of a ring.
inline Vec blur_column(const float* const rows[kTaps], int i) {
  Vec total = Vec(kWindow[0]) * load(rows[0] + i);
#pragma GCC unroll 11
  for (int k = 1; k < kTaps; k++) total = fma(Vec(kWindow[k]), load(rows[k] + i), total);
  return total;
}

// A row of the rendered picture: in place, or copied to `scratch` if its pixels do not lie side by side.
inline const float* rendered_row(const PhotometricJob& job, int channel, int y, float* scratch) {
  const float* p = job.rendered.data + channel * job.rendered.channel + y * job.rendered.row;
  if (job.rendered.column == 1) return p;
  for (int i = 0; i < job.width; i++) scratch[i] = p[i * job.rendered.column];
  return scratch;
}

inline void load_target_row(const PhotometricJob& job, int channel, int y, float* target) {
  const std::uint8_t* t = job.target + (static_cast<std::ptrdiff_t>(channel) * job.height + y) * job.width;
  for (int i = 0; i < job.width; i++) target[i] = static_cast<float>(t[i]) / 255.0f;
}

inline void blur_moments(const PhotometricJob& job, int channel, int y, const Rings& r) {
  if (y < 0 || y >= job.height) {
    std::memset(r.moment(y, 0), 0, static_cast<std::size_t>(kMoments * r.stride) * sizeof(float));
    return;
  }
  float *x = r.row + kMargin, *target = x + r.stride, *squares = target + r.stride, *products = squares + r.stride;
  const float* rendered = rendered_row(job, channel, y, x);
  load_target_row(job, channel, y, target);
  for (int i = 0; i < job.width; i += Vec::N) {
    const Vec X = load_within(rendered, i, job.width), Y = load(target + i);
    store(x + i, X);
    store(squares + i, fma(X, X, Y * Y));
    store(products + i, X * Y);
  }
  for (int plane = 0; plane < kMoments; plane++)
    blur_row(r.row + plane * r.stride, r.moment(y, plane), padded(job.width));
}

inline void blur_derivatives(const PhotometricJob& job, int y, bool own, const Rings& r, PhotometricSums* sums) {
  if (y < 0 || y >= job.height) {
    std::memset(r.derivative(y, 0), 0, static_cast<std::size_t>(kDerivatives * r.stride) * sizeof(float));
    return;
  }
  const float* rows[kMoments][kTaps];
  for (int plane = 0; plane < kMoments; plane++)
    for (int k = 0; k < kTaps; k++) rows[plane][k] = r.moment(y - kReach + k, plane);
  const float* weights = job.weight + static_cast<std::ptrdiff_t>(y) * job.width;
  // dL/d ssim at this pixel: the loss is a mean over 3 H W values.
  const float scale = -job.ssim_weight / (3.0f * static_cast<float>(job.width) * static_cast<float>(job.height));
  Vec ssim_sum(0.0f), weighted(0.0f);
  for (int i = kMargin; i < kMargin + padded(job.width); i += Vec::N) {
    const Vec mx = blur_column(rows[0], i), my = blur_column(rows[1], i);
    const Vec squares = blur_column(rows[2], i), products = blur_column(rows[3], i);
    const Vec mxy = mx * my, m2 = fma(mx, mx, my * my);
    const Vec A = fma(Vec(2.0f), mxy, Vec(kC1)), B = fma(Vec(2.0f), products - mxy, Vec(kC2));
    const Vec C = m2 + Vec(kC1), D = squares - m2 + Vec(kC2);
    const Vec inverse = reciprocal(C * D), inverse_C = inverse * D, inverse_D = inverse * C;
    const Vec ssim = A * B * inverse;
    const Vec inside = load(r.inside + i), weight = load_within(weights, i - kMargin, job.width);
    ssim_sum = fma(ssim, inside, ssim_sum);
    weighted = fma(Vec(1.0f) - ssim, weight, weighted);
    const Vec d_A = B * inverse, d_B = A * inverse;
    const Vec d_C = Vec(0.0f) - ssim * inverse_C, d_D = Vec(0.0f) - ssim * inverse_D;
    const Vec g = weight * Vec(scale), g2 = g + g;
    store(r.row + i, g2 * fma(my, d_A - d_B, mx * (d_C - d_D)));
    store(r.row + r.stride + i, g * d_D);
    store(r.row + 2 * r.stride + i, g2 * d_B);
  }
  if (own) {
    sums[y].ssim = sum(ssim_sum);
    sums[y].objective = job.ssim_weight * sum(weighted);
  }
  for (int plane = 0; plane < kDerivatives; plane++)
    blur_row(r.row + plane * r.stride, r.derivative(y, plane), padded(job.width));
}

inline void write_gradient(const PhotometricJob& job, int channel, int y, const Rings& r, PhotometricSums& sums) {
  const float* rows[kDerivatives][kTaps];
  for (int plane = 0; plane < kDerivatives; plane++)
    for (int k = 0; k < kTaps; k++) rows[plane][k] = r.derivative(y - kReach + k, plane);
  const std::ptrdiff_t at = (static_cast<std::ptrdiff_t>(channel) * job.height + y) * job.width;
  const float* weights = job.weight + static_cast<std::ptrdiff_t>(y) * job.width;
  const float* x = rendered_row(job, channel, y, r.row + kMargin);
  float* target = r.row + r.stride + kMargin;
  load_target_row(job, channel, y, target);
  const float values = 3.0f * static_cast<float>(job.width) * static_cast<float>(job.height);
  const float scale = (1.0f - job.ssim_weight) / values;
  Vec l1(0.0f), weighted(0.0f), squared(0.0f);
  for (int i = 0; i < job.width; i += Vec::N) {
    const Vec inside = load(r.inside + kMargin + i), weight = load_within(weights, i, job.width);
    const Vec X = load_within(x, i, job.width), Y = load(target + i) * inside;
    const Vec difference = X - Y, size = abs(difference), clamped = min(max(X, Vec(0.0f)), Vec(1.0f)) - Y;
    l1 = l1 + size;
    weighted = fma(size, weight, weighted);
    squared = fma(clamped, clamped, squared);
    const Vec zero(0.0f), one(1.0f);
    const Vec sign = keep(ge(difference, zero), one) - keep(ge(zero, difference), one);
    const Vec from_x = blur_column(rows[0], kMargin + i), from_squares = blur_column(rows[1], kMargin + i);
    const Vec from_products = blur_column(rows[2], kMargin + i);
    const Vec gradient = fma(Vec(scale) * weight, sign, fma(X + X, from_squares, fma(Y, from_products, from_x)));
    store_within(job.gradient + at, i, job.width, gradient);
  }
  sums.l1 = sum(l1);
  sums.squared = sum(squared);
  sums.objective += (1.0f - job.ssim_weight) * sum(weighted);
}

void photometric_band(const PhotometricJob& job, int channel, int y0, int y1, float* scratch, PhotometricSums* sums) {
  const Rings rings = rings_in(scratch, job.width);
  for (int y = y0 - 2 * kReach; y < y1 + 2 * kReach; y++) {
    blur_moments(job, channel, y, rings);
    const int middle = y - kReach, last = y - 2 * kReach;
    if (middle >= y0 - kReach) blur_derivatives(job, middle, middle >= y0 && middle < y1, rings, sums);
    if (last >= y0) write_gradient(job, channel, last, rings, sums[last]);
  }
}

}  // namespace

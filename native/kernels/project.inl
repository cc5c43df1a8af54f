// 3D Gaussians to splats on the image, and back for gradients. EWA splatting: Zwicker et al. 2001, eq. 26-31.
// The camera is at the world's origin (docs/rasteriser.md), so z is depth.
namespace {

constexpr float kLog2E = 1.44269504f, kLn2 = 0.693147181f;

struct Rotation {
  float m[3][3];
};

inline Rotation rotation(float w, float x, float y, float z) {  // of a unit quaternion
  return {{{1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)},
           {2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)},
           {2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)}}};
}

// Image covariance = half half^T + blur, where half = [a; b] (2x3, px) is the Jacobian times R diag(scale).
struct Footprint {
  float a[3], b[3], xx, xy, yy, determinant;
};

// The linearisation is taken no farther outside of the image than this (x/z, y/z), or what lies beside the camera would
// smear over the picture.
struct Limits {
  float left, right, top, bottom;
};

inline Limits limits_of(const Camera& camera) {
  const float width = static_cast<float>(camera.width), height = static_cast<float>(camera.height);
  const float margin_x = 0.5f * kMargin * width, margin_y = 0.5f * kMargin * height, inv_f = 1.0f / camera.focal;
  return {-(camera.cx + margin_x) * inv_f, (width - camera.cx + margin_x) * inv_f, -(camera.cy + margin_y) * inv_f,
          (height - camera.cy + margin_y) * inv_f};
}

inline float limited(float x, float least, float most) { return smaller(larger(x, least), most); }

inline Footprint footprint(const Rotation& R, const float s[3], float x_z, float y_z, float pixels_per_unit) {
  Footprint f;
  for (int c = 0; c < 3; c++) {
    f.a[c] = pixels_per_unit * s[c] * (R.m[0][c] - x_z * R.m[2][c]);
    f.b[c] = pixels_per_unit * s[c] * (R.m[1][c] - y_z * R.m[2][c]);
  }
  const float aa = f.a[0] * f.a[0] + f.a[1] * f.a[1] + f.a[2] * f.a[2];
  const float bb = f.b[0] * f.b[0] + f.b[1] * f.b[1] + f.b[2] * f.b[2];
  const float n0 = f.a[1] * f.b[2] - f.a[2] * f.b[1], n1 = f.a[2] * f.b[0] - f.a[0] * f.b[2],
              n2 = f.a[0] * f.b[1] - f.a[1] * f.b[0];
  f.xx = aa + kBlurPx2;
  f.xy = f.a[0] * f.b[0] + f.a[1] * f.b[1] + f.a[2] * f.b[2];
  f.yy = bb + kBlurPx2;
  // det(half half^T) = |a x b|^2 (Cauchy-Binet): xx yy - xy^2 would cancel for needles.
  f.determinant = n0 * n0 + n1 * n1 + n2 * n2 + kBlurPx2 * (aa + bb) + kBlurPx2 * kBlurPx2;
  return f;
}

void project(const GaussianBlock& g, int count, const Camera& camera, Splat* splats, TileRect* rects, float* depths) {
  alignas(64) float x[kBlock], y[kBlock], u_x[kBlock], u_y[kBlock], v_y[kBlock], log2_opacity[kBlock];
  alignas(64) float half_w[kBlock], half_h[kBlock];
  alignas(64) std::int32_t tile_x0[kBlock], tile_x1[kBlock], tile_y0[kBlock], tile_y1[kBlock];
  const float width = static_cast<float>(camera.width), height = static_cast<float>(camera.height);
  const Limits limits = limits_of(camera);
  const float last_x = static_cast<float>((camera.width - 1) / kTile);
  const float last_y = static_cast<float>((camera.height - 1) / kTile);
  for (int j = 0; j < count; j++) {
    const float z = g.mean[2][j], inv_z = 1.0f / z, x_z = g.mean[0][j] * inv_z, y_z = g.mean[1][j] * inv_z;
    const float w = g.quat[0][j], i = g.quat[1][j], k = g.quat[2][j], l = g.quat[3][j];
    const float inv_norm = 1.0f / std::sqrt(w * w + i * i + k * k + l * l);
    const Rotation R = rotation(w * inv_norm, i * inv_norm, k * inv_norm, l * inv_norm);
    const float s[3] = {g.scale[0][j], g.scale[1][j], g.scale[2][j]};
    const Footprint f = footprint(R, s, limited(x_z, limits.left, limits.right), limited(y_z, limits.top, limits.bottom),
                                  camera.focal * inv_z);
    x[j] = camera.focal * x_z + camera.cx;
    y[j] = camera.focal * y_z + camera.cy;
    u_x[j] = std::sqrt(0.5f * kLog2E * f.yy / f.determinant);
    u_y[j] = -u_x[j] * f.xy / f.yy;
    v_y[j] = std::sqrt(0.5f * kLog2E / f.yy);
    log2_opacity[j] = log2_accurate(g.opacity[j]);
    const float reach = log2_opacity[j] - kLog2MinAlpha;  // log2 of how far the peak is above the cut
    const float sigmas2 = 2.0f * kLn2 * larger(reach, 0.0f);
    half_w[j] = std::sqrt(sigmas2 * f.xx);
    half_h[j] = std::sqrt(sigmas2 * f.yy);
  }
  for (int j = 0; j < count; j++) {  // in one loop with the above the compiler does not vectorise it
    const float left = x[j] - half_w[j], right = x[j] + half_w[j], top = y[j] - half_h[j], bottom = y[j] + half_h[j];
    const float z = g.mean[2][j];
    const bool visible = (z >= kNear) & (g.opacity[j] > 0.0f) & (log2_opacity[j] >= kLog2MinAlpha) &
                         (u_x[j] >= 0.0f) & (right > 0.0f) & (left < width) & (bottom > 0.0f) &
                         (top < height);  // false if anything is NaN
    depths[j] = visible ? z : 0.0f;
    tile_x0[j] = static_cast<std::int32_t>(smaller(larger(left * (1.0f / kTile), 0.0f), last_x));
    tile_x1[j] = static_cast<std::int32_t>(smaller(larger(right * (1.0f / kTile), 0.0f), last_x));
    tile_y0[j] = static_cast<std::int32_t>(smaller(larger(top * (1.0f / kTile), 0.0f), last_y));
    tile_y1[j] = static_cast<std::int32_t>(smaller(larger(bottom * (1.0f / kTile), 0.0f), last_y));
  }
  for (int j = 0; j < count; j++) {
    splats[j] = {x[j], y[j], u_x[j], u_y[j], v_y[j], log2_opacity[j], g.color[0][j], g.color[1][j], g.color[2][j],
                 half_w[j], half_h[j]};
    rects[j] = {static_cast<std::uint16_t>(tile_x0[j]), static_cast<std::uint16_t>(tile_x1[j]),
                static_cast<std::uint16_t>(tile_y0[j]), static_cast<std::uint16_t>(tile_y1[j])};
  }
}

// Chain rule from the sums of SplatGradient to the Gaussian. With w = (u, v) = U d, K = 2 ln2 U^T U is the inverse
// covariance and dL/dcov = 1/2 K (sum s d d^T) K = 2 ln2^2 U^T (sum s w w^T) U.
void project_backward(const GaussianBlock& g, int count, const Camera& camera, const Splat* splats,
                      const float (*sums)[kBlock], GaussianBlock& out) {
  alignas(64) float u_x[kBlock], u_y[kBlock], v_y[kBlock];
  const Limits limits = limits_of(camera);
  for (int j = 0; j < count; j++) u_x[j] = splats[j].u_x, u_y[j] = splats[j].u_y, v_y[j] = splats[j].v_y;
  for (int j = 0; j < count; j++) {
    const float U = u_x[j], M = u_y[j], V = v_y[j];
    const float d_x = 2.0f * kLn2 * U * sums[1][j], d_y = 2.0f * kLn2 * (M * sums[1][j] + V * sums[2][j]);
    const float k2 = 2.0f * kLn2 * kLn2;
    const float d_xx = k2 * U * U * sums[3][j], d_xy = k2 * U * (M * sums[3][j] + V * sums[4][j]);
    const float d_yy = k2 * (M * M * sums[3][j] + 2.0f * M * V * sums[4][j] + V * V * sums[5][j]);

    const float inv_z = 1.0f / g.mean[2][j], x_z = g.mean[0][j] * inv_z, y_z = g.mean[1][j] * inv_z;
    const float pixels_per_unit = camera.focal * inv_z;
    float w = g.quat[0][j], x = g.quat[1][j], y = g.quat[2][j], z = g.quat[3][j];
    const float inv_norm = 1.0f / std::sqrt(w * w + x * x + y * y + z * z);
    w *= inv_norm, x *= inv_norm, y *= inv_norm, z *= inv_norm;
    const Rotation R = rotation(w, x, y, z);
    const float s[3] = {g.scale[0][j], g.scale[1][j], g.scale[2][j]};
    const float lx_z = limited(x_z, limits.left, limits.right), ly_z = limited(y_z, limits.top, limits.bottom);
    const Footprint f = footprint(R, s, lx_z, ly_z, pixels_per_unit);

    float dR[3][3];
    float d_lx_z = 0.0f, d_ly_z = 0.0f, d_log_pixels = 0.0f;
    for (int c = 0; c < 3; c++) {
      const float da = 2.0f * (d_xx * f.a[c] + d_xy * f.b[c]), db = 2.0f * (d_xy * f.a[c] + d_yy * f.b[c]);
      const float pda = pixels_per_unit * da, pdb = pixels_per_unit * db;
      const float dL2 = -(lx_z * pda + ly_z * pdb);
      dR[0][c] = pda * s[c], dR[1][c] = pdb * s[c], dR[2][c] = dL2 * s[c];
      out.scale[c][j] = pda * R.m[0][c] + pdb * R.m[1][c] + dL2 * R.m[2][c];
      d_lx_z -= pda * R.m[2][c] * s[c];
      d_ly_z -= pdb * R.m[2][c] * s[c];
      d_log_pixels += da * f.a[c] + db * f.b[c];
    }
    const float d_x_z = camera.focal * d_x + (lx_z == x_z ? d_lx_z : 0.0f);
    const float d_y_z = camera.focal * d_y + (ly_z == y_z ? d_ly_z : 0.0f);
    out.mean[0][j] = d_x_z * inv_z;
    out.mean[1][j] = d_y_z * inv_z;
    out.mean[2][j] = -(d_x_z * x_z + d_y_z * y_z + d_log_pixels) * inv_z;

    const float dw = 2 * (-z * dR[0][1] + y * dR[0][2] + z * dR[1][0] - x * dR[1][2] - y * dR[2][0] + x * dR[2][1]);
    const float dx = 2 * (y * dR[0][1] + z * dR[0][2] + y * dR[1][0] - 2 * x * dR[1][1] - w * dR[1][2] +
                          z * dR[2][0] + w * dR[2][1] - 2 * x * dR[2][2]);
    const float dy = 2 * (-2 * y * dR[0][0] + x * dR[0][1] + w * dR[0][2] + x * dR[1][0] + z * dR[1][2] -
                          w * dR[2][0] + z * dR[2][1] - 2 * y * dR[2][2]);
    const float dz = 2 * (-2 * z * dR[0][0] - w * dR[0][1] + x * dR[0][2] + w * dR[1][0] - 2 * z * dR[1][1] +
                          y * dR[1][2] + x * dR[2][0] + y * dR[2][1]);
    const float radial = dw * w + dx * x + dy * y + dz * z;  // the norm has no effect
    out.quat[0][j] = (dw - radial * w) * inv_norm;
    out.quat[1][j] = (dx - radial * x) * inv_norm;
    out.quat[2][j] = (dy - radial * y) * inv_norm;
    out.quat[3][j] = (dz - radial * z) * inv_norm;
    out.opacity[j] = sums[0][j] / g.opacity[j];
    for (int c = 0; c < 3; c++) out.color[c][j] = sums[6 + c][j];
  }
}

}  // namespace

// Canonical Gaussians to posed ones (docs/rasteriser.md, "Posing"), and back for gradients.
namespace {

std::uint32_t load_canonical(const CanonicalArrays& in, std::ptrdiff_t begin, int count, CanonicalBlock& out) {
  std::uint32_t bad = split_rows<3>(in.means + 3 * begin, count, out.mean);
  bad |= split_rows<4>(in.quats + 4 * begin, count, out.quat) << 1;
  bad |= split_rows<3>(in.log_scales + 3 * begin, count, out.log_scale) << 2;
  bad |= split_rows<1>(in.logit_opacities + begin, count, &out.logit_opacity) << 3;
  bad |= split_rows<3>(in.colors + 3 * begin, count, out.color) << 4;
  bad |= split_rows<1>(in.logit_attachment + begin, count, &out.logit_attachment) << 5;
  return bad;
}

struct Quaternion {
  float w, x, y, z;
};

inline Quaternion product(Quaternion a, Quaternion b) {
  return {a.w * b.w - a.x * b.x - a.y * b.y - a.z * b.z, a.w * b.x + a.x * b.w + a.y * b.z - a.z * b.y,
          a.w * b.y - a.x * b.z + a.y * b.w + a.z * b.x, a.w * b.z + a.x * b.y - a.y * b.x + a.z * b.w};
}

inline Quaternion conjugate(Quaternion q) { return {q.w, -q.x, -q.y, -q.z}; }

// Between the two bodies: the weighted sum of their quaternions (both in one hemisphere).
inline Quaternion body_orientation(const BodyPose& pose, float w) {
  const float v = 1.0f - w;
  return {w * pose.head_wxyz[0] + v * pose.torso_wxyz[0], w * pose.head_wxyz[1] + v * pose.torso_wxyz[1],
          w * pose.head_wxyz[2] + v * pose.torso_wxyz[2], w * pose.head_wxyz[3] + v * pose.torso_wxyz[3]};
}

inline float transformed(const float R[3][3], const float t[3], int a, const float x[3]) {
  return R[a][0] * x[0] + R[a][1] * x[1] + R[a][2] * x[2] + t[a];
}

void pose(const CanonicalBlock& g, const float (*delta)[kBlock], int count, const BodyPose& body,
          GaussianBlock& __restrict out) {
  const BodyPose pose = body;  // a copy that nothing aliases: else the loop does not vectorise
  for (int j = 0; j < count; j++) {
    const float w = sigmoid(g.logit_attachment[j]), v = 1.0f - w;
    const float x[3] = {g.mean[0][j] + delta[0][j], g.mean[1][j] + delta[1][j], g.mean[2][j] + delta[2][j]};
    for (int a = 0; a < 3; a++) {
      out.mean[a][j] = w * transformed(pose.R_head, pose.head_xyz, a, x) +
                       v * transformed(pose.R_torso, pose.torso_xyz, a, x);
      out.scale[a][j] = exp_accurate(g.log_scale[a][j] + delta[3 + a][j]);
      out.color[a][j] = g.color[a][j];
    }
    const Quaternion canonical{g.quat[0][j], g.quat[1][j], g.quat[2][j], g.quat[3][j]};
    const Quaternion turn{1.0f, 0.5f * delta[6][j], 0.5f * delta[7][j], 0.5f * delta[8][j]};
    const Quaternion q = product(body_orientation(pose, w), product(canonical, turn));
    out.quat[0][j] = q.w, out.quat[1][j] = q.x, out.quat[2][j] = q.y, out.quat[3][j] = q.z;
    out.opacity[j] = sigmoid(g.logit_opacity[j]);
  }
}

// Sum of a[j] b[j] over a block; the rest of the block beyond the Gaussians must be zero.
inline float dot(const float* a, const float* b) {
  Vec total(0.0f);
  for (int j = 0; j < kBlock; j += Vec::N) total = fma(load(a + j), load(b + j), total);
  return sum(total);
}

void pose_backward(const CanonicalBlock& g, const float (*delta)[kBlock], int count, const BodyPose& body,
                   const GaussianBlock& d_out, CanonicalBlock& __restrict d, float (*__restrict d_delta)[kBlock],
                   BodyPoseGradient* d_pose) {
  const BodyPose pose = body;
  alignas(64) float x[4][kBlock], by_head[3][kBlock], by_torso[3][kBlock];
  for (int j = 0; j < count; j++) {
    const float w = sigmoid(g.logit_attachment[j]), v = 1.0f - w;
    float d_w = 0.0f, d_x[3] = {0.0f, 0.0f, 0.0f};
    const float here[3] = {g.mean[0][j] + delta[0][j], g.mean[1][j] + delta[1][j], g.mean[2][j] + delta[2][j]};
    for (int a = 0; a < 3; a++) {
      const float m = d_out.mean[a][j];
      d_w += m * (transformed(pose.R_head, pose.head_xyz, a, here) -
                  transformed(pose.R_torso, pose.torso_xyz, a, here));
      for (int c = 0; c < 3; c++) d_x[c] += m * (w * pose.R_head[a][c] + v * pose.R_torso[a][c]);
      by_head[a][j] = w * m;
      by_torso[a][j] = v * m;
      x[a][j] = here[a];
      d.log_scale[a][j] = d_delta[3 + a][j] = d_out.scale[a][j] * exp_accurate(g.log_scale[a][j] + delta[3 + a][j]);
    }
    x[3][j] = 1.0f;
    for (int c = 0; c < 3; c++) d.mean[c][j] = d_delta[c][j] = d_x[c];

    const Quaternion canonical{g.quat[0][j], g.quat[1][j], g.quat[2][j], g.quat[3][j]};
    const Quaternion turn{1.0f, 0.5f * delta[6][j], 0.5f * delta[7][j], 0.5f * delta[8][j]};
    const Quaternion d_q{d_out.quat[0][j], d_out.quat[1][j], d_out.quat[2][j], d_out.quat[3][j]};
    // For q = a b: dL/da = dL/dq conj(b), dL/db = conj(a) dL/dq.
    const Quaternion local = product(canonical, turn);
    const Quaternion d_body = product(d_q, conjugate(local));
    const Quaternion d_local = product(conjugate(body_orientation(pose, w)), d_q);
    const Quaternion d_canonical = product(d_local, conjugate(turn));
    const Quaternion d_turn = product(conjugate(canonical), d_local);
    d_w += d_body.w * (pose.head_wxyz[0] - pose.torso_wxyz[0]) + d_body.x * (pose.head_wxyz[1] - pose.torso_wxyz[1]) +
           d_body.y * (pose.head_wxyz[2] - pose.torso_wxyz[2]) + d_body.z * (pose.head_wxyz[3] - pose.torso_wxyz[3]);
    d.quat[0][j] = d_canonical.w, d.quat[1][j] = d_canonical.x;
    d.quat[2][j] = d_canonical.y, d.quat[3][j] = d_canonical.z;
    d_delta[6][j] = 0.5f * d_turn.x, d_delta[7][j] = 0.5f * d_turn.y, d_delta[8][j] = 0.5f * d_turn.z;
    const float opacity = sigmoid(g.logit_opacity[j]);
    d.logit_opacity[j] = d_out.opacity[j] * opacity * (1.0f - opacity);
    d.logit_attachment[j] = d_w * w * v;
  }
  if (d_pose == nullptr) return;
  for (int j = count; j < kBlock; j++) {
    for (int a = 0; a < 3; a++) x[a][j] = by_head[a][j] = by_torso[a][j] = 0.0f;
    x[3][j] = 0.0f;
  }
  for (int a = 0; a < 3; a++) {
    for (int c = 0; c < 3; c++) {
      d_pose->R_head[a][c] = dot(by_head[a], x[c]);
      d_pose->R_torso[a][c] = dot(by_torso[a], x[c]);
    }
    d_pose->head_xyz[a] = dot(by_head[a], x[3]);
    d_pose->torso_xyz[a] = dot(by_torso[a], x[3]);
  }
}

void store_canonical(const CanonicalBlock& in, std::ptrdiff_t begin, int count, const MutableCanonicalArrays& out) {
  join_rows<3>(in.mean, count, out.means + 3 * begin);
  join_rows<4>(in.quat, count, out.quats + 4 * begin);
  join_rows<3>(in.log_scale, count, out.log_scales + 3 * begin);
  join_rows<1>(&in.logit_opacity, count, out.logit_opacities + begin);
  join_rows<1>(&in.logit_attachment, count, out.logit_attachment + begin);
}

void pack(const float* values, std::size_t n, void* out) {
  Packed* to = static_cast<Packed*>(out);
  for (std::size_t i = 0; i < n; i += Vec::N) pack_vector(to + i, load(values + i));
}

// Displacements of one block: the weighted sum of its bases. `bases`: packed, [9 kBlock / kBasisRun][n_bases][kBasisRun],
// so that they are read from front to back.
void motion_field(const void* bases, int n_bases, const float* coefficients, float (*delta)[kBlock]) {
  const Packed* p = static_cast<const Packed*>(bases);
  constexpr int kVectors = kBasisRun / Vec::N;
  for (int i = 0; i < kDeltaRows * kBlock; i += kBasisRun) {
    Vec sums[kVectors];
#pragma GCC unroll 16
    for (int j = 0; j < kVectors; j++) sums[j] = Vec(0.0f);
    for (int k = 0; k < n_bases; k++, p += kBasisRun) {
      const Vec weight(coefficients[k]);
#pragma GCC unroll 16
      for (int j = 0; j < kVectors; j++) sums[j] = fma(weight, unpack_vector(p + j * Vec::N), sums[j]);
    }
    float* out = &delta[0][0] + i;
#pragma GCC unroll 16
    for (int j = 0; j < kVectors; j++) store(out + j * Vec::N, sums[j]);
  }
}

}  // namespace

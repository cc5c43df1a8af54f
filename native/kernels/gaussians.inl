// Between PyTorch's arrays of structures and GaussianBlock.
namespace {

inline std::uint32_t not_finite(float x) { return (as_bits(x) & 0x7f800000u) == 0x7f800000u; }

// Splits `count` rows of C values into C arrays; returns whether any value is not finite.
template <int C>
std::uint32_t split_rows(const float* rows, int count, float (*out)[kBlock]) {
  std::uint32_t bad = 0;
  for (int j = 0; j < count; j++)
    for (int c = 0; c < C; c++) {
      const float x = rows[j * C + c];
      out[c][j] = x;
      bad |= not_finite(x);
    }
  return bad;
}

template <int C>
void join_rows(const float (*in)[kBlock], int count, float* rows) {
  for (int j = 0; j < count; j++)
    for (int c = 0; c < C; c++) rows[j * C + c] = in[c][j];
}

std::uint32_t load_gaussians(const GaussianArrays& in, std::ptrdiff_t begin, int count, GaussianBlock& out) {
  std::uint32_t bad = split_rows<3>(in.means + 3 * begin, count, out.mean);
  bad |= split_rows<4>(in.quats + 4 * begin, count, out.quat) << 1;
  bad |= split_rows<3>(in.scales + 3 * begin, count, out.scale) << 2;
  bad |= split_rows<1>(in.opacities + begin, count, &out.opacity) << 3;
  if (in.colors != nullptr) bad |= split_rows<3>(in.colors + 3 * begin, count, out.color) << 4;
  return bad;
}

void store_gaussians(const GaussianBlock& in, std::ptrdiff_t begin, int count, const MutableGaussianArrays& out) {
  join_rows<3>(in.mean, count, out.means + 3 * begin);
  join_rows<4>(in.quat, count, out.quats + 4 * begin);
  join_rows<3>(in.scale, count, out.scales + 3 * begin);
  join_rows<1>(&in.opacity, count, out.opacities + begin);
  if (out.colors != nullptr) join_rows<3>(in.color, count, out.colors + 3 * begin);
}

}  // namespace

#include "posing.h"

#include <atomic>
#include <cstring>
#include <stdexcept>
#include <string>

namespace locutor {
namespace {

int blocks_of(int n) { return (n + kBlock - 1) / kBlock; }
int block_size(int n, int block) { return n - block * kBlock < kBlock ? n - block * kBlock : kBlock; }

void load_delta(const float* delta, int n, int begin, int count, float (*out)[kBlock]) {
  for (int row = 0; row < kDeltaRows; row++)
    std::memcpy(out[row], delta + static_cast<std::ptrdiff_t>(row) * n + begin,
                static_cast<std::size_t>(count) * sizeof(float));
}

}  // namespace

void refuse_non_finite_canonical(std::uint32_t bad) {
  static const char* const kNames[] = {"means",           "quats",  "log_scales",
                                       "logit_opacities", "colors", "logit_attachment"};
  for (int i = 0; i < 6; i++)
    if (bad >> i & 1) throw std::invalid_argument(std::string(kNames[i]) + " holds a value that is NaN or infinite");
}

void pose_gaussians(Engine& engine, const CanonicalArrays& canonical, int n, const float* delta, const BodyPose& pose,
                    const MutableGaussianArrays& out) {
  std::atomic<std::uint32_t> bad{0};
  engine.pool.for_each(blocks_of(n), [&](int block) {
    CanonicalBlock g;
    GaussianBlock posed;
    alignas(64) float moved[kDeltaRows][kBlock];
    const int begin = block * kBlock, count = block_size(n, block);
    bad |= engine.kernels.load_canonical(canonical, begin, count, g);
    load_delta(delta, n, begin, count, moved);
    engine.kernels.pose(g, moved, count, pose, posed);
    engine.kernels.store_gaussians(posed, begin, count, out);
  });
  refuse_non_finite_canonical(bad);
}

void pose_gaussians_backward(Engine& engine, const CanonicalArrays& canonical, int n, const float* delta,
                             const BodyPose& pose, const GaussianArrays& d_out,
                             const MutableCanonicalArrays& d_canonical,
                             float* d_delta, BodyPoseGradient* d_pose) {
  std::vector<BodyPoseGradient> parts(d_pose ? static_cast<std::size_t>(blocks_of(n)) : 0);
  engine.pool.for_each(blocks_of(n), [&](int block) {
    CanonicalBlock g, d;
    GaussianBlock d_posed;
    alignas(64) float moved[kDeltaRows][kBlock], d_moved[kDeltaRows][kBlock];
    const int begin = block * kBlock, count = block_size(n, block);
    engine.kernels.load_canonical(canonical, begin, count, g);
    load_delta(delta, n, begin, count, moved);
    engine.kernels.load_gaussians(d_out, begin, count, d_posed);
    engine.kernels.pose_backward(g, moved, count, pose, d_posed, d, d_moved, d_pose ? &parts[block] : nullptr);
    engine.kernels.store_canonical(d, begin, count, d_canonical);
    for (int row = 0; row < kDeltaRows; row++)
      std::memcpy(d_delta + static_cast<std::ptrdiff_t>(row) * n + begin, d_moved[row],
                  static_cast<std::size_t>(count) * sizeof(float));
  });
  if (d_pose == nullptr) return;
  double total[kPoseGradientValues] = {0};
  for (const BodyPoseGradient& part : parts) {  // in a fixed order: the result does not depend on the threads
    float values[kPoseGradientValues];
    std::memcpy(values, &part, sizeof part);
    for (std::size_t i = 0; i < kPoseGradientValues; i++) total[i] += values[i];
  }
  float values[kPoseGradientValues];
  for (std::size_t i = 0; i < kPoseGradientValues; i++) values[i] = static_cast<float>(total[i]);
  std::memcpy(d_pose, values, sizeof *d_pose);
}

}  // namespace locutor

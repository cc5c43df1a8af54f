// All kernels, compiled for one instruction set.
#include <cmath>
#include <cstdint>
#include <cstring>
#include <utility>

#include "kernels.h"
#include "vec_avx2.h"

using namespace locutor;

#include "exponential.inl"
#include "gaussians.inl"
#include "project.inl"
#include "blend.inl"
#include "write_tile.inl"
#include "blend_backward.inl"
#include "pose.inl"
#include "photometric.inl"

const Kernels& locutor::kernels_avx2() {
  static constexpr Kernels kernels = {
      "avx2",
      load_gaussians,
      project,
      project_backward,
      store_gaussians,
      blend,
      write_float,
      write_8bit,
      blend_backward,
      load_canonical,
      motion_field,
      pose,
      pose_backward,
      store_canonical,
      photometric_scratch,
      photometric_band,
  };
  return kernels;
}

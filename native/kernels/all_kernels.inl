// All kernels and their table; each instruction set's file includes this after its vectors.
#include <cmath>
#include <cstdint>
#include <cstring>
#include <utility>

using namespace locutor;

#include "exponential.inl"
#include "gaussians.inl"
#include "project.inl"
#include "patches.inl"
#include "blend.inl"
#include "write_tile.inl"
#include "blend_backward.inl"
#include "pose.inl"
#include "photometric.inl"
#include "field.inl"
#include "adam.inl"

namespace {

constexpr Kernels all_kernels(const char* isa) {
  return {
      isa,
      load_gaussians,
      project,
      project_backward,
      store_gaussians,
      blend,
      write_float,
      write_8bit,
      write_extra,
      blend_backward,
      load_canonical,
      sizeof(Packed),
      pack,
      motion_field,
      pose,
      pose_backward,
      store_canonical,
      photometric_scratch,
      photometric_band,
      field_row,
      field_dot,
      adafactor_row,
      field_dot_and_step,
      adam,
  };
}

}  // namespace

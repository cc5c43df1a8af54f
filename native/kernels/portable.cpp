// All kernels, compiled for one instruction set.
#include "kernels.h"
#include "vec_portable.h"

#include "all_kernels.inl"

const Kernels& locutor::kernels_portable() {
  static constexpr Kernels kernels = all_kernels("portable");
  return kernels;
}

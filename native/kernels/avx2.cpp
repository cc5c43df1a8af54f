// All kernels, compiled for one instruction set.
#include "kernels.h"
#include "vec_avx2.h"

#include "all_kernels.inl"

const Kernels& locutor::kernels_avx2() {
  static constexpr Kernels kernels = all_kernels("avx2");
  return kernels;
}

// All kernels, compiled for one instruction set.
#include "kernels.h"
#include "vec_avx512.h"

#include "all_kernels.inl"

const Kernels& locutor::kernels_avx512() {
  static constexpr Kernels kernels = all_kernels("avx512");
  return kernels;
}

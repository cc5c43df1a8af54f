// All kernels, compiled for one instruction set.
#include "kernels.h"
#include "vec_portable.h"

#include "all_kernels.inl"

#ifdef __ARM_NEON
constexpr const char* kName = "neon";  // the compiler's four-lane vectors are NEON code there
#else
constexpr const char* kName = "portable";
#endif

const Kernels& locutor::kernels_portable() {
  static constexpr Kernels kernels = all_kernels(kName);
  return kernels;
}

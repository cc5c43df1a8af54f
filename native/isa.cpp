#include "isa.h"

#include <algorithm>
#include <stdexcept>

namespace locutor {

std::vector<std::string> available_isas() {
  std::vector<std::string> isas{kernels_portable().isa};
#ifdef LOCUTOR_X86
  __builtin_cpu_init();  // these also ask whether the operating system saves the registers
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) isas.push_back("avx2");
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl"))
    isas.push_back("avx512");
#endif
  return isas;
}

const Kernels& kernels_for(const std::string& isa) {
  const std::vector<std::string> isas = available_isas();
  if (std::find(isas.begin(), isas.end(), isa) == isas.end()) {
    std::string names;
    for (const std::string& name : isas) names += (names.empty() ? "" : ", ") + name;
    throw std::invalid_argument("instruction set '" + isa + "' is not available here; there is: " + names);
  }
#ifdef LOCUTOR_X86
  if (isa == "avx512") return kernels_avx512();
  if (isa == "avx2") return kernels_avx2();
#endif
  return kernels_portable();
}

}  // namespace locutor

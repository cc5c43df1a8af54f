// Which instruction sets this machine has.
#pragma once

#include <string>
#include <vector>

#include "kernels/kernels.h"

namespace locutor {

// Names of the usable instruction sets, slowest first: "portable" ("neon" on ARM), then "avx2", "avx512".
std::vector<std::string> available_isas();

// The kernels of one of `available_isas()`; throws std::invalid_argument for any other name.
const Kernels& kernels_for(const std::string& isa);

}  // namespace locutor

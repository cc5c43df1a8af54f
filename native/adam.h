// Adam over many tensors in one call: docs/training_step.md, "Adam".
#pragma once

#include <vector>

#include "engine.h"

namespace locutor {

// One tensor of `count` numbers, its moments and its gradient.
struct AdamTensor {
  float *parameter, *first, *second;
  const float* gradient;
  std::ptrdiff_t count;
  float rate;
};

// Step number `step` >= 1, with torch.optim.Adam's formula.
void adam_step(Engine&, const std::vector<AdamTensor>&, int step, double beta1, double beta2, double epsilon);

}  // namespace locutor

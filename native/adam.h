// Adam over many tensors in one call: docs/training_step.md, "Adam".
#pragma once

#include <vector>

#include "engine.h"

namespace locutor {

// One tensor [rows, columns] and its moments. Its gradient is column[r] * row[c]: dense gradients have one row and
// the column {1}, those of the motion field's bases are never written out.
struct AdamTensor {
  float *parameter, *first, *second;
  const float *column, *row;
  std::ptrdiff_t rows, columns;
  float rate;
};

// Step number `step` >= 1, with torch.optim.Adam's formula.
void adam_step(Engine&, const std::vector<AdamTensor>&, int step, double beta1, double beta2, double epsilon);

}  // namespace locutor

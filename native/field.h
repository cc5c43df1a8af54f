// The motion field of training: docs/training_step.md, "The motion field".
#pragma once

#include "engine.h"

namespace locutor {

// Bases [n_bases, n_rows, n_moving], each row in units of `scale` [n_rows]; they move the first rows of delta.
struct FieldArrays {
  const float *bases, *scale;
  int n_bases, n_rows, n_moving;
};

// delta [kDeltaRows, n]: the weighted sum of the bases, 0 beyond n_rows and n_moving.
// Throws std::invalid_argument when a coefficient or the field is not finite.
void motion_field(Engine&, const FieldArrays&, const float* coefficients, int n, float* delta);

// d_coefficients [n_bases] from d_delta [kDeltaRows, n]; independent of the threads.
void motion_field_backward(Engine&, const FieldArrays&, const float* d_delta, int n, float* d_coefficients);

}  // namespace locutor

// The optimiser's step of the motion field's bases: docs/training_step.md, "The optimiser of the bases".
#pragma once

#include "engine.h"

namespace locutor {

// Adafactor's factors of the second moment: columns [n_bases], rows [n_rows, n_moving].
struct FactoredMoments {
  float *columns, *rows;
};

// Bases [n_bases, n_rows, n_moving], each row in units of `scale` [n_rows], with the two factors of their gradient:
// coefficients [n_bases] and scale * d_delta, d_delta being [kDeltaRows, n] of which n_rows and n_moving count (it may begin inside a row).
struct BasesGradient {
  const float *coefficients, *d_delta, *scale;
  int n_bases, n_rows, n_moving, n;
};

// Step number `step` >= 1. Sets d_coefficients [n_bases], the gradient of the coefficients, from the bases before the
// step: both need each basis once. Independent of the threads.
void bases_step(Engine&, float* bases, const FactoredMoments&, const BasesGradient&, float rate, int step, double beta,
                double epsilon, float* d_coefficients);

}  // namespace locutor

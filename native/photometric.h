// The fused photometric loss: locutor.splat.photometric.
#pragma once

#include "engine.h"

namespace locutor {

struct PhotometricResult {
  double loss, l1, ssim, mse;
};

// `target` is [H, W, 3]; job.target is ignored. Sets job.gradient.
PhotometricResult photometric_loss(Engine&, PhotometricJob job, const std::uint8_t* target);

}  // namespace locutor

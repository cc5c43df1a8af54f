// Posing of canonical Gaussians: docs/rasteriser.md, "Posing".
#pragma once

#include "engine.h"

namespace locutor {

// Poses n Gaussians moved by `delta` [9, n]; colours pass unchanged (`out.colors` is null).
// Throws std::invalid_argument when an input holds a value that is not finite.
void pose_gaussians(Engine&, const CanonicalArrays&, int n, const float* delta, const BodyPose&,
                    const MutableGaussianArrays& out);

// Gradients of all inputs of `pose_gaussians` from those of its results. `d_pose` may be null.
void pose_gaussians_backward(Engine&, const CanonicalArrays&, int n, const float* delta, const BodyPose&,
                             const GaussianArrays& d_out, const MutableCanonicalArrays&, float* d_delta,
                             BodyPoseGradient* d_pose);

// Throws std::invalid_argument naming the arrays whose bit is set (see Kernels::load_canonical).
void refuse_non_finite_canonical(std::uint32_t bad);

}  // namespace locutor

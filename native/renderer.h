// The render loop's fast path: coefficients and a pose to 8-bit pixels in one call.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "engine.h"

namespace locutor {

class Renderer {
 public:
  // Copies everything. `bases` is [n_bases, 9, n_moving]: only the first n_moving Gaussians move.
  Renderer(std::shared_ptr<Engine>, const CanonicalArrays&, int n, const float* bases, int n_bases, int n_moving,
           const Camera&, const ImageView& background);

  const Camera& camera() const { return camera_; }
  int n_bases() const { return n_bases_; }

  // Draws one picture into rgb8 [H, W, 3]. May be called from several threads.
  void render(const float* coefficients, const BodyPose&, std::uint8_t* rgb8) const;

 private:
  // The bases that move a block: the face's are zero on the torso and the torso's on the face.
  struct BlockBases {
    int first, count;
    std::size_t offset;  // into bases_, bytes
  };

  std::shared_ptr<Engine> engine_;
  int n_, n_bases_, moving_blocks_;
  Camera camera_;
  Buffer<CanonicalBlock> blocks_;
  std::vector<BlockBases> block_bases_;  // per moving block
  Buffer<std::byte> bases_;              // as Kernels::motion_field takes them
  Buffer<float> background_;             // [tiles, kPatches, 3, 16], as Kernels::write_8bit takes it
  Buffer<std::uint8_t> background8_;     // [H, W, 3]
};

}  // namespace locutor

#include "renderer.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <stdexcept>
#include <vector>

#include "posing.h"
#include "rasterizer.h"

namespace locutor {
namespace {

constexpr float kLargestBasis = 6e4f;  // in half precision
constexpr std::ptrdiff_t kTileFloats = 3 * kTilePixels;

std::size_t block_floats(int n_bases) { return static_cast<std::size_t>(n_bases) * kDeltaRows * kBlock; }

int blocks_of(int n) { return (n + kBlock - 1) / kBlock; }

}  // namespace

Renderer::Renderer(std::shared_ptr<Engine> engine, const CanonicalArrays& canonical, int n, const float* bases,
                   int n_bases, int n_moving, const Camera& camera, const ImageView& background)
    : engine_(std::move(engine)), n_(n), n_bases_(n_bases), moving_blocks_(blocks_of(n_moving)), camera_(camera) {
  CanonicalBlock* blocks = blocks_.require(static_cast<std::size_t>(blocks_of(n)));
  std::uint32_t bad = 0;
  for (int b = 0; b < blocks_of(n); b++)
    bad |= engine_->kernels.load_canonical(canonical, b * kBlock, std::min(kBlock, n - b * kBlock), blocks[b]);
  refuse_non_finite_canonical(bad);

  // Values of basis k for block b: `count` in each of the rows, which lie n_moving apart.
  const auto values = [&](int k, int row, int b) {
    return bases + (static_cast<std::ptrdiff_t>(k) * kDeltaRows + row) * n_moving + b * kBlock;
  };
  std::size_t bytes = 0;
  for (int b = 0; b < moving_blocks_; b++) {
    const int count = std::min(kBlock, n_moving - b * kBlock);
    int first = n_bases, last = -1;
    for (int k = 0; k < n_bases; k++)
      for (int row = 0; row < kDeltaRows; row++)
        for (const float *value = values(k, row, b), *end = value + count; value < end; value++) {
          if (!(std::abs(*value) < kLargestBasis))
            throw std::invalid_argument("bases holds a value that is NaN or beyond 60000");
          if (*value != 0) first = std::min(first, k), last = k;
        }
    block_bases_.push_back({std::min(first, last + 1), last < 0 ? 0 : last - first + 1, bytes});
    bytes += block_floats(block_bases_.back().count) * engine_->kernels.packed_bytes;
  }
  std::byte* packed = bases_.require(bytes);
  std::vector<float> block;
  for (int b = 0; b < moving_blocks_; b++) {
    const BlockBases& own = block_bases_[b];
    block.assign(block_floats(own.count), 0.0f);
    for (int k = 0; k < own.count; k++)
      for (int row = 0; row < kDeltaRows; row++) {
        const float* from = values(own.first + k, row, b);
        for (int j = 0; j < std::min(kBlock, n_moving - b * kBlock); j++) {
          const int at = row * kBlock + j;
          block[(static_cast<std::size_t>(at / kBasisRun) * own.count + k) * kBasisRun + at % kBasisRun] = from[j];
        }
      }
    engine_->kernels.pack(block.data(), block.size(), packed + own.offset);
  }

  const std::ptrdiff_t w = camera.width, h = camera.height, columns = (w + kTile - 1) / kTile;
  const std::ptrdiff_t tiles = columns * ((h + kTile - 1) / kTile);
  const auto floats = static_cast<std::size_t>(tiles * kTileFloats);
  float* patches = background_.require(floats);
  std::fill(patches, patches + floats, 0.0f);  // beyond the image's border
  std::uint8_t* levels = background8_.require(static_cast<std::size_t>(3 * w * h));
  for (std::ptrdiff_t y = 0; y < h; y++)
    for (std::ptrdiff_t x = 0; x < w; x++) {
      const std::ptrdiff_t tile = y / kTile * columns + x / kTile;
      const std::ptrdiff_t patch = y % kTile / kPatch * (kTile / kPatch) + x % kTile / kPatch;
      const std::ptrdiff_t pixel = y % kPatch * kPatch + x % kPatch;
      for (std::ptrdiff_t c = 0; c < 3; c++) {
        const float value = background.data[c * background.channel + y * background.row + x * background.column];
        patches[tile * kTileFloats + (patch * 3 + c) * kPatchPixels + pixel] = value;
        levels[(y * w + x) * 3 + c] = static_cast<std::uint8_t>(std::min(std::max(value, 0.0f), 1.0f) * 255.0f + 0.5f);
      }
    }
}

void Renderer::render(const float* coefficients, const BodyPose& pose, std::uint8_t* rgb8) const {
  Engine& engine = *engine_;
  const std::shared_ptr<Frame> frame = engine.frame();
  frame->camera = camera_;
  frame->require(n_);
  engine.pool.for_each(frame->blocks(), [&](int block) {
    alignas(64) float delta[kDeltaRows][kBlock];
    GaussianBlock posed;
    const int begin = block * kBlock, count = frame->block_size(block);
    if (block < moving_blocks_ && block_bases_[block].count > 0) {
      const BlockBases& own = block_bases_[block];
      engine.kernels.motion_field(bases_.data() + own.offset, own.count, coefficients + own.first, delta);
    } else {
      std::memset(delta, 0, sizeof delta);
    }
    engine.kernels.pose(blocks_[block], delta, count, pose, posed);
    engine.kernels.project(posed, count, camera_, frame->splats.data() + begin, frame->rects.data() + begin,
                           frame->depths.data() + begin);
  });
  sort_and_bin(engine, *frame);
  engine.pool.for_each(frame->lists.tiles(), [&](int t) {
    TileState state;
    const TileJob job = tile_job(*frame, {0, nullptr}, nullptr, t);
    engine.kernels.blend(job, state);
    engine.kernels.write_8bit(job, state, background_.data() + t * kTileFloats, background8_.data(), rgb8);
  });
}

}  // namespace locutor

#include "rasterizer.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <stdexcept>
#include <string>
#include <utility>

namespace locutor {
namespace {

constexpr std::uint32_t kBadExtra = 1 << 5;

void refuse_non_finite(std::uint32_t bad) {
  static const char* const kNames[] = {"means", "quats", "scales", "opacities", "colors", "extra"};
  for (int i = 0; i < 6; i++)
    if (bad >> i & 1) throw std::invalid_argument(std::string(kNames[i]) + " holds a value that is NaN or infinite");
}

bool all_finite(const float* values, std::size_t count) {
  bool finite = true;
  for (std::size_t i = 0; i < count; i++) finite &= std::isfinite(values[i]);
  return finite;
}

void clear_gaussian(GaussianBlock& block, int j) {
  for (int c = 0; c < 3; c++) block.mean[c][j] = block.scale[c][j] = block.color[c][j] = 0.0f;
  for (int c = 0; c < 4; c++) block.quat[c][j] = 0.0f;
  block.opacity[j] = 0.0f;
}

// Each Gaussian owns one gradient slot per tile of its rectangle, so that no two threads add to the same place and
// the result does not depend on their timing.
void assign_slots(Engine& engine, Frame& frame) {
  std::uint32_t* first = frame.first_slot.require(static_cast<std::size_t>(frame.n) + 1);
  std::uint32_t sum = 0;
  for (int i = 0; i < frame.n; i++) {
    first[i] = sum;
    const TileRect r = frame.rects[i];
    if (frame.depths[i] > 0.0f) sum += static_cast<std::uint32_t>((r.x1 - r.x0 + 1) * (r.y1 - r.y0 + 1));
  }
  first[frame.n] = sum;
  std::uint32_t* slots = frame.slots.require(frame.lists.pairs());
  engine.pool.for_each(frame.lists.rows, [&](int y) {
    for (int x = 0; x < frame.lists.columns; x++) {
      const int t = y * frame.lists.columns + x;
      for (std::uint32_t k = frame.lists.start[t]; k < frame.lists.start[t + 1]; k++) {
        const std::uint32_t id = frame.lists.id(k);
        const TileRect r = frame.rects[id];
        slots[k] = first[id] + static_cast<std::uint32_t>((y - r.y0) * (r.x1 - r.x0 + 1) + (x - r.x0));
      }
    }
  });
}

// Fetches a tile of an image into the second-level cache. The hardware does not foresee that the next row lies a whole
// row of the image further on.
void prefetch_tile(const TileJob& job, const ImageView& view, int channels) {
  constexpr int kLine = 64 / sizeof(float);
  if (view.column != 1) return;
  const int rows = std::min(kTile, job.height - job.y0);
  for (int c = 0; c < channels; c++)
    for (int y = 0; y < rows; y++) {
      const float* row = view.data + c * view.channel + (job.y0 + y) * view.row + job.x0;
      for (int x = 0; x < kTile; x += kLine) __builtin_prefetch(row + x, 0, 2);
    }
}

}  // namespace

void sort_and_bin(Engine& engine, Frame& frame) {
  const int n_seen = sort_by_depth(frame.depths.data(), frame.n, frame.sort_scratch, frame.order);
  bin_into_tiles(frame.order.data(), n_seen, frame.n, frame.rects.data(), frame.camera.width, frame.camera.height,
                 engine.pool, frame.lists);
}

TileJob tile_job(const Frame& frame, const ExtraArray& extra, std::uint64_t* touched, int t) {
  const std::uint32_t begin = frame.lists.start[t], end = frame.lists.start[t + 1];
  return {frame.splats.data(), frame.lists.from(begin), static_cast<int>(end - begin),
          touched == nullptr ? nullptr : touched + begin,
          t % frame.lists.columns * kTile, t / frame.lists.columns * kTile, frame.camera.width, frame.camera.height,
          extra.data, extra.channels};
}

std::shared_ptr<Frame> rasterize(Engine& engine, const GaussianArrays& gaussians, int n, const ExtraArray& extra,
                                 const Camera& camera, const ImageView& background, const Pictures& out) {
  const auto channels = static_cast<std::size_t>(extra.channels);
  std::shared_ptr<Frame> frame = engine.frame();
  frame->camera = camera;
  frame->require(n);
  std::atomic<std::uint32_t> bad{0};
  engine.pool.for_each(frame->blocks(), [&](int block) {
    GaussianBlock g;
    const int begin = block * kBlock, count = frame->block_size(block);
    bad |= engine.kernels.load_gaussians(gaussians, begin, count, g);
    if (!all_finite(extra.data + begin * channels, count * channels)) bad |= kBadExtra;
    engine.kernels.project(g, count, camera, frame->splats.data() + begin, frame->rects.data() + begin,
                           frame->depths.data() + begin);
  });
  refuse_non_finite(bad);
  sort_and_bin(engine, *frame);
  std::uint64_t* touched = frame->touched.require(frame->lists.pairs());
  const std::ptrdiff_t width = camera.width;
  const ImageView rgb{out.rgb, width * camera.height, width, 1}, alpha{out.alpha, 0, width, 1};
  engine.pool.for_each(frame->lists.tiles(), [&](int t) {
    thread_local Buffer<float> sums;
    TileState state;
    state.extra = sums.require(channels * kTilePixels);
    const TileJob job = tile_job(*frame, extra, touched, t);
    prefetch_tile(job, background, 3);
    prefetch_tile(job, rgb, 3);
    prefetch_tile(job, alpha, 1);
    engine.kernels.blend(job, state);
    engine.kernels.write_float(job, state, background, out.rgb, out.alpha);
    if (channels > 0) engine.kernels.write_extra(job, state, out.extra);
  });
  return frame;
}

void rasterize_backward(Engine& engine, Frame& frame, const GaussianArrays& gaussians, const ExtraArray& extra,
                        const BackwardImages& images, const MutableGaussianArrays& out, float* d_extra) {
  const auto channels = static_cast<std::size_t>(extra.channels);
  assign_slots(engine, frame);
  SplatGradient* gradients = frame.gradients.require(frame.lists.pairs());
  float* extra_gradients = frame.extra_gradients.require(frame.lists.pairs() * channels);
  engine.pool.for_each(frame.lists.tiles(), [&](int t) {
    thread_local Buffer<float> scratch;
    const TileJob job = tile_job(frame, extra, frame.touched.data(), t);
    const int later = t + engine.pool.threads();  // about the next one that this thread will take
    if (later < frame.lists.tiles()) {
      const TileJob next = tile_job(frame, extra, nullptr, later);
      if (next.count > 0)
        for (const auto& [view, planes] : {std::pair{images.rgb, 3}, {images.d_rgb, 3}, {images.alpha, 1}, {images.d_alpha, 1}})
          prefetch_tile(next, view, planes);
    }
    if (job.count > 0)
      engine.kernels.blend_backward(job, images,
                                    {frame.slots.data() + frame.lists.start[t], gradients, extra_gradients,
                                     scratch.require(channels * kBackwardScratch)});
  });
  engine.pool.for_each(frame.blocks(), [&](int block) {
    GaussianBlock g, gradient;
    alignas(64) float sums[kGradientSums][kBlock];
    const int begin = block * kBlock, count = frame.block_size(block);
    for (int j = 0; j < count; j++) {
      float total[kGradientSums] = {0};
      for (std::uint32_t s = frame.first_slot[begin + j]; s < frame.first_slot[begin + j + 1]; s++)
        for (int k = 0; k < kGradientSums; k++) total[k] += gradients[s].sum[k];
      for (int k = 0; k < kGradientSums; k++) sums[k][j] = total[k];
    }
    for (std::size_t i = begin * channels; i < (begin + count) * channels; i++) {
      d_extra[i] = 0.0f;
      const std::size_t of = i / channels, channel = i % channels;
      for (std::size_t s = frame.first_slot[of]; s < frame.first_slot[of + 1]; s++)
        d_extra[i] += extra_gradients[s * channels + channel];
    }
    engine.kernels.load_gaussians(gaussians, begin, count, g);
    engine.kernels.project_backward(g, count, frame.camera, frame.splats.data() + begin, sums, gradient);
    for (int j = 0; j < count; j++)
      if (frame.depths[begin + j] == 0.0f) clear_gaussian(gradient, j);  // behind the camera the formulas mean nothing
    engine.kernels.store_gaussians(gradient, begin, count, out);
  });
}

}  // namespace locutor

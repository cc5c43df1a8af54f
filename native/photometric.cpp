#include "photometric.h"

#include <algorithm>

namespace locutor {
namespace {

// Rows per unit of work: each unit blurs 20 rows of its neighbours again, so few and tall ones are better.
int band_height(int height, int threads) {
  const int bands = (2 * threads + 2) / 3;  // for each of 3 channels: two units per thread
  return std::max(32, (height + bands - 1) / bands);
}

}  // namespace

PhotometricResult photometric_loss(Engine& engine, PhotometricJob job, const std::uint8_t* target) {
  const std::size_t w = static_cast<std::size_t>(job.width), h = static_cast<std::size_t>(job.height);
  thread_local Buffer<std::uint8_t> planes_buffer;
  thread_local Buffer<PhotometricSums> sums_buffer;
  std::uint8_t* planes = planes_buffer.require(3 * w * h);
  PhotometricSums* sums = sums_buffer.require(3 * h);
  const int rows_per_item = 16;
  engine.pool.for_each((job.height + rows_per_item - 1) / rows_per_item, [&](int item) {
    const std::size_t begin = static_cast<std::size_t>(item) * rows_per_item * w;
    const std::size_t end = std::min(begin + rows_per_item * w, w * h);
    std::uint8_t *r = planes, *g = planes + w * h, *b = planes + 2 * w * h;
    for (std::size_t i = begin; i < end; i++)
      r[i] = target[3 * i], g[i] = target[3 * i + 1], b[i] = target[3 * i + 2];
  });
  job.target = planes;
  const int band = band_height(job.height, engine.pool.threads()), bands = (job.height + band - 1) / band;
  engine.pool.for_each(3 * bands, [&](int item) {
    thread_local Buffer<float> scratch;
    const int channel = item % 3, y0 = item / 3 * band, y1 = std::min(y0 + band, job.height);
    float* floats = scratch.require(engine.kernels.photometric_scratch(job.width));
    engine.kernels.photometric_band(job, channel, y0, y1, floats, sums + static_cast<std::size_t>(channel) * h);
  });
  double objective = 0, l1 = 0, ssim = 0, squared = 0;
  for (std::size_t i = 0; i < 3 * h; i++) {
    objective += sums[i].objective;
    l1 += sums[i].l1;
    ssim += sums[i].ssim;
    squared += sums[i].squared;
  }
  const double n = 3.0 * static_cast<double>(w) * static_cast<double>(h);
  return {objective / n, l1 / n, ssim / n, squared / n};
}

}  // namespace locutor

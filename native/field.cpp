#include "field.h"

#include <atomic>
#include <cmath>
#include <cstring>
#include <stdexcept>

namespace locutor {
namespace {

constexpr int kChunk = 1024;  // Gaussians: one page of a row

}  // namespace

void motion_field(Engine& engine, const FieldArrays& field, const float* coefficients, int n, float* delta) {
  for (int k = 0; k < field.n_bases; k++)
    if (!std::isfinite(coefficients[k])) throw std::invalid_argument("coefficients holds a value that is NaN or infinite");
  const std::ptrdiff_t row_stride = field.n_moving, stride = row_stride * field.n_rows;
  const int chunks = (n + kChunk - 1) / kChunk;
  std::atomic<std::uint32_t> bad{0};
  engine.pool.for_each(static_cast<int>(kDeltaRows) * chunks, [&](int item) {
    const int row = item / chunks, begin = item % chunks * kChunk;
    const int end = begin + kChunk < n ? begin + kChunk : n;
    const int moving = row < field.n_rows ? field.n_moving : 0, moving_end = end < moving ? end : moving;
    float* out = delta + static_cast<std::ptrdiff_t>(row) * n;
    if (begin < moving_end)
      bad |= engine.kernels.field_row(field.bases + row * row_stride + begin, stride, field.n_bases, coefficients,
                                      field.scale[row], moving_end - begin, out + begin);
    const int still = begin < moving_end ? moving_end : begin;
    std::memset(out + still, 0, static_cast<std::size_t>(end - still) * sizeof(float));
  });
  if (bad) throw std::invalid_argument("bases holds a value that is NaN, infinite or too large");
}

void motion_field_backward(Engine& engine, const FieldArrays& field, const float* d_delta, int n,
                           float* d_coefficients) {
  const int rows = field.n_rows;
  std::vector<float> parts(static_cast<std::size_t>(field.n_bases * rows));
  engine.pool.for_each(field.n_bases * rows, [&](int item) {
    const int row = item % rows;
    parts[static_cast<std::size_t>(item)] =
        field.scale[row] * engine.kernels.field_dot(field.bases + static_cast<std::ptrdiff_t>(item) * field.n_moving,
                                                    d_delta + static_cast<std::ptrdiff_t>(row) * n, field.n_moving);
  });
  for (int k = 0; k < field.n_bases; k++) {
    float total = 0.0f;
    for (int row = 0; row < rows; row++) total += parts[static_cast<std::size_t>(k * rows + row)];
    d_coefficients[k] = total;
  }
}

}  // namespace locutor

#include "adam.h"

#include <algorithm>
#include <cmath>

namespace locutor {
namespace {

constexpr std::ptrdiff_t kChunk = 16384;  // numbers per unit of work

struct Item {
  const AdamTensor* tensor;
  std::ptrdiff_t begin;
};

}  // namespace

void adam_step(Engine& engine, const std::vector<AdamTensor>& tensors, int step, double beta1, double beta2,
               double epsilon) {
  std::vector<Item> items;
  for (const AdamTensor& tensor : tensors)
    for (std::ptrdiff_t begin = 0; begin < tensor.count; begin += kChunk) items.push_back({&tensor, begin});
  const double seen1 = 1 - std::pow(beta1, step), seen2 = 1 - std::pow(beta2, step);
  engine.pool.for_each(static_cast<int>(items.size()), [&](int i) {
    const Item& item = items[static_cast<std::size_t>(i)];
    const AdamTensor& t = *item.tensor;
    const std::ptrdiff_t at = item.begin;
    const AdamStep by{static_cast<float>(1 - beta1),  static_cast<float>(beta2),
                      static_cast<float>(1 - beta2),  static_cast<float>(t.rate / seen1),
                      static_cast<float>(1 / std::sqrt(seen2)), static_cast<float>(epsilon)};
    engine.kernels.adam(t.parameter + at, t.first + at, t.second + at, t.gradient + at,
                        static_cast<int>(std::min(kChunk, t.count - at)), by);
  });
}

}  // namespace locutor

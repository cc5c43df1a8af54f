// The rasteriser without Python, against scalar arithmetic in double: for machines that only an emulator offers.
// Prints the instruction set and the errors; ends with 1 if one is too large. Built and run by tests/native/test_neon.py.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <random>
#include <vector>

#include "rasterizer.h"

using namespace locutor;

namespace {

constexpr int kCount = 60, kWidth = 45, kHeight = 37, kValues = 14;  // values per Gaussian: 3 + 4 + 3 + 1 + 3
constexpr int kMeans = 0, kQuats = 3, kScales = 7, kOpacity = 10, kColors = 11;
const Camera kCamera{kWidth, kHeight, 80.0f, 22.8f, 18.3f};
using Scene = std::vector<double>;  // [kCount, kValues]
using Picture = std::vector<double>;  // [3, H, W], then alpha [H, W]

Scene random_scene() {
  std::mt19937 rng(7);
  const auto uniform = [&](double a, double b) { return a + (b - a) * static_cast<double>(rng() >> 8) / (1 << 24); };
  Scene scene;
  for (int i = 0; i < kCount; i++) {
    const double x = uniform(-1.1, 1.1), y = uniform(-0.9, 0.9), z = uniform(3.5, 4.5);
    scene.insert(scene.end(), {x, y, z});
    for (int c = 0; c < 4; c++) scene.push_back(uniform(-1, 1));
    for (int c = 0; c < 3; c++) scene.push_back(0.15 * std::exp(uniform(-1.5, 1)));
    scene.push_back(uniform(0.05, 0.98));
    for (int c = 0; c < 3; c++) scene.push_back(uniform(-0.1, 1.1));
  }
  for (double& value : scene) value = static_cast<float>(value);
  return scene;
}

double background(int channel, int pixel) { return 0.5 + 0.4 * std::sin(pixel + 2.0 * channel); }

// docs/rasteriser.md, in double.
Picture drawn_in_double(const Scene& scene) {
  struct Layer {
    double z, x, y, xx, xy, yy, opacity;
    const double* color;
  };
  std::vector<Layer> layers;
  for (int i = 0; i < kCount; i++) {
    const double* g = &scene[static_cast<std::size_t>(i) * kValues];
    const double z = g[2], f = kCamera.focal, mx = 0.15 * kWidth, my = 0.15 * kHeight;
    const double x_z = std::min(std::max(g[0] / z, -(kCamera.cx + mx) / f), (kWidth - kCamera.cx + mx) / f);
    const double y_z = std::min(std::max(g[1] / z, -(kCamera.cy + my) / f), (kHeight - kCamera.cy + my) / f);
    const double* q = g + kQuats;
    const double norm = std::sqrt(q[0] * q[0] + q[1] * q[1] + q[2] * q[2] + q[3] * q[3]);
    const double w = q[0] / norm, a = q[1] / norm, b = q[2] / norm, c = q[3] / norm;
    const double R[3][3] = {{1 - 2 * (b * b + c * c), 2 * (a * b - w * c), 2 * (a * c + w * b)},
                            {2 * (a * b + w * c), 1 - 2 * (a * a + c * c), 2 * (b * c - w * a)},
                            {2 * (a * c - w * b), 2 * (b * c + w * a), 1 - 2 * (a * a + b * b)}};
    Layer layer{z, f * g[0] / z + kCamera.cx, f * g[1] / z + kCamera.cy, 0.3, 0, 0.3, g[kOpacity], g + kColors};
    for (int k = 0; k < 3; k++) {
      const double u = f / z * (R[0][k] - x_z * R[2][k]) * g[kScales + k];
      const double v = f / z * (R[1][k] - y_z * R[2][k]) * g[kScales + k];
      layer.xx += u * u, layer.xy += u * v, layer.yy += v * v;
    }
    layers.push_back(layer);
  }
  std::stable_sort(layers.begin(), layers.end(), [](const Layer& a, const Layer& b) { return a.z < b.z; });
  Picture out(4 * kWidth * kHeight);
  for (int p = 0; p < kWidth * kHeight; p++) {
    double T = 1, rgb[3] = {0, 0, 0};
    for (const Layer& l : layers) {
      const double dx = p % kWidth + 0.5 - l.x, dy = p / kWidth + 0.5 - l.y;
      const double q = (l.yy * dx * dx - 2 * l.xy * dx * dy + l.xx * dy * dy) / (l.xx * l.yy - l.xy * l.xy);
      const double alpha = std::min(0.999, l.opacity * std::exp(-q / 2));
      if (alpha < 1.0 / 255) continue;
      if (T * (1 - alpha) <= 1e-4) break;
      for (int c = 0; c < 3; c++) rgb[c] += T * alpha * l.color[c];
      T *= 1 - alpha;
    }
    for (int c = 0; c < 3; c++) out[c * kWidth * kHeight + p] = rgb[c] + T * background(c, p);
    out[3 * kWidth * kHeight + p] = 1 - T;
  }
  return out;
}

double weight(std::size_t i) { return std::cos(0.37 * static_cast<double>(i)); }

double objective(const Scene& scene) {
  const Picture picture = drawn_in_double(scene);
  double sum = 0;
  for (std::size_t i = 0; i < picture.size(); i++) sum += weight(i) * picture[i];
  return sum;
}

}  // namespace

int main() {
  const Scene scene = random_scene();
  constexpr int kPixels = kWidth * kHeight;
  std::vector<float> arrays[5];
  const int offsets[6] = {kMeans, kQuats, kScales, kOpacity, kColors, kValues};
  for (int a = 0; a < 5; a++)
    for (int i = 0; i < kCount; i++)
      for (int c = offsets[a]; c < offsets[a + 1]; c++) arrays[a].push_back(static_cast<float>(scene[i * kValues + c]));
  const GaussianArrays gaussians{arrays[0].data(), arrays[1].data(), arrays[2].data(), arrays[3].data(),
                                 arrays[4].data()};
  std::vector<float> behind(3 * kPixels), rgb(3 * kPixels), alpha(kPixels), weights(4 * kPixels), extra(3 * kPixels);
  for (int p = 0; p < kPixels; p++)
    for (int c = 0; c < 3; c++) behind[c * kPixels + p] = static_cast<float>(background(c, p));
  for (std::size_t i = 0; i < weights.size(); i++) weights[i] = static_cast<float>(weight(i));

  Engine engine(2, available_isas().back());
  const ImageView backdrop{behind.data(), kPixels, kWidth, 1};
  const ExtraArray colors_again{3, gaussians.colors};
  const auto frame = rasterize(engine, gaussians, kCount, colors_again, kCamera, backdrop,
                               {rgb.data(), alpha.data(), extra.data()});
  const Picture truth = drawn_in_double(scene);
  double worst = 0, worst_extra = 0;
  int wrong = 0;
  for (int i = 0; i < 4 * kPixels; i++) {
    const double error = std::fabs((i < 3 * kPixels ? rgb[i] : alpha[i - 3 * kPixels]) - truth[i]);
    wrong += error > 2e-4;  // rounding may flip the cut at 1/255
    worst = std::max(worst, error);
  }
  for (int i = 0; i < 3 * kPixels; i++)
    worst_extra = std::max(worst_extra, std::fabs(extra[i] + (1.0 - alpha[i % kPixels]) * behind[i] - rgb[i]));

  std::vector<float> d[5], d_extra(3 * kCount);
  for (int a = 0; a < 5; a++) d[a].resize(arrays[a].size());
  const float zero = 0.0f;
  const ImageView none{&zero, 0, 0, 0};
  rasterize_backward(engine, *frame, gaussians, colors_again,
                     {{rgb.data(), kPixels, kWidth, 1},
                      {alpha.data(), 0, kWidth, 1},
                      {weights.data(), kPixels, kWidth, 1},
                      {weights.data() + 3 * kPixels, 0, kWidth, 1},
                      {extra.data(), kPixels, kWidth, 1},
                      none},
                     {d[0].data(), d[1].data(), d[2].data(), d[3].data(), d[4].data()}, d_extra.data());
  double difference2 = 0, length2 = 0;
  for (int i = 0; i < kCount; i += 19)
    for (int a = 0; a < 5; a++)
      for (int c = offsets[a]; c < offsets[a + 1]; c++) {
        constexpr double kStep = 1e-7;
        Scene more = scene, less = scene;
        more[i * kValues + c] += kStep;
        less[i * kValues + c] -= kStep;
        const double slope = (objective(more) - objective(less)) / (2 * kStep);
        const int width = offsets[a + 1] - offsets[a];
        const double found = d[a][i * width + c - offsets[a]];
        difference2 += (found - slope) * (found - slope);
        length2 += slope * slope;
      }
  const double gradient_error = std::sqrt(difference2 / length2);
  std::printf("%s: picture %.1e (%d of %d values off), extra %.1e, gradient %.1e\n", engine.kernels.isa, worst, wrong,
              4 * kPixels, worst_extra, gradient_error);
  return wrong > kPixels / 100 || worst > 1.0 / 255 || worst_extra > 1e-5 || gradient_error > 1e-3;
}

#include "z_buffer.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "buffer.h"

namespace locutor {
namespace {

struct Triangle {
  double x[3], y[3], z[3], area;

  // Whether it lies in the image and shows a side that is drawn.
  bool drawn(bool two_sided, int width, int height) const {
    return std::min({z[0], z[1], z[2]}) > 0 && std::max({x[0], x[1], x[2]}) > 0 && std::max({y[0], y[1], y[2]}) > 0 &&
           std::min({x[0], x[1], x[2]}) < width && std::min({y[0], y[1], y[2]}) < height &&
           (two_sided ? std::abs(area) : -area) > 1e-9;
  }
};

Triangle triangle_of(const TriangleMesh& mesh, int t) {
  Triangle out;
  for (int k = 0; k < 3; k++) {
    const std::int32_t v = mesh.triangles[3 * static_cast<std::ptrdiff_t>(t) + k];
    out.x[k] = mesh.xy[2 * static_cast<std::ptrdiff_t>(v)];
    out.y[k] = mesh.xy[2 * static_cast<std::ptrdiff_t>(v) + 1];
    out.z[k] = mesh.depth[v];
  }
  out.area = (out.x[1] - out.x[0]) * (out.y[2] - out.y[0]) - (out.y[1] - out.y[0]) * (out.x[2] - out.x[0]);
  return out;
}

int first_centre(double edge, int end) {  // the first pixel whose centre is not before `edge`
  return static_cast<int>(std::min(std::max(std::ceil(edge - 0.5), 0.0), static_cast<double>(end)));
}

}  // namespace

void draw_nearest(const TriangleMesh& mesh, int width, int height, std::int32_t* nearest) {
  constexpr std::int64_t kFar = std::numeric_limits<std::int64_t>::max();
  const std::size_t pixels = static_cast<std::size_t>(width) * static_cast<std::size_t>(height);
  thread_local Buffer<std::int64_t> memory;
  std::int64_t* best = memory.require(pixels);  // depth in the high half, the triangle in the low half
  std::fill(best, best + pixels, kFar);
  double farthest = 1e-9;
  for (int t = 0; t < mesh.n; t++) {
    const Triangle a = triangle_of(mesh, t);
    if (a.drawn(mesh.two_sided[t], width, height)) farthest = std::max({farthest, a.z[0], a.z[1], a.z[2]});
  }
  const double scale = (1 << 30) / farthest;
  for (int t = 0; t < mesh.n; t++) {
    const Triangle a = triangle_of(mesh, t);
    if (!a.drawn(mesh.two_sided[t], width, height)) continue;
    const double dz1 = a.z[1] - a.z[0], dz2 = a.z[2] - a.z[0];
    const double slope_x = (dz1 * (a.y[2] - a.y[0]) - dz2 * (a.y[1] - a.y[0])) / a.area;
    const double slope_y = (dz2 * (a.x[1] - a.x[0]) - dz1 * (a.x[2] - a.x[0])) / a.area;
    const int end_row = first_centre(std::max({a.y[0], a.y[1], a.y[2]}), height);
    for (int row = first_centre(std::min({a.y[0], a.y[1], a.y[2]}), height); row < end_row; row++) {
      const double y = row + 0.5;
      double low = -0.5, high = width + 0.5;
      for (int k = 0; k < 3; k++) {
        const int next = (k + 1) % 3;
        const double dy = a.y[next] - a.y[k];
        if (dy == 0) continue;
        const double crossing = a.x[k] + (y - a.y[k]) * ((a.x[next] - a.x[k]) / dy);
        // Inside is where area * cross(b - a, p - a) >= 0, so x falls off towards an edge that goes down.
        if (dy * a.area > 0)
          high = std::min(high, crossing);
        else
          low = std::max(low, crossing);
      }
      const int end = first_centre(high, width);
      const double at_row = a.z[0] - slope_x * (a.x[0] - 0.5) + slope_y * (row + 0.5 - a.y[0]);
      for (int column = first_centre(low, width); column < end; column++) {
        const double z = std::min(std::max((at_row + slope_x * column) * scale, 0.0), 2147483647.0);
        const std::int64_t key = static_cast<std::int64_t>(z) << 32 | t;
        std::int64_t& here = best[static_cast<std::size_t>(row) * static_cast<std::size_t>(width) + column];
        here = std::min(here, key);
      }
    }
  }
  for (std::size_t p = 0; p < pixels; p++)
    nearest[p] = best[p] == kFar ? -1 : static_cast<std::int32_t>(best[p] & 0xffffffff);
}

}  // namespace locutor

// The nearest triangle at every pixel centre: locutor.actors.renderer.
#pragma once

#include <cstdint>

namespace locutor {

struct TriangleMesh {
  const double* xy;                // [V, 2], px
  const double* depth;             // [V]
  const std::int32_t* triangles;   // [n, 3]; seen from the front they run counter-clockwise
  const std::uint8_t* two_sided;   // [n], whether it is drawn when seen from behind
  int n;
};

// Sets `nearest` [height, width] to rows of the triangle list, -1 where there is none. Triangles that reach behind the
// camera are left out. Vertices are not checked.
void draw_nearest(const TriangleMesh&, int width, int height, std::int32_t* nearest);

}  // namespace locutor

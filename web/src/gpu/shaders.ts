/** The rules of docs/rasteriser.md in GLSL. */

/** Texels per row of the textures that hold Gaussians and bases. */
export const TEXTURE_WIDTH = 512;

/**
 * Motion field, posing and projection, one vertex per Gaussian in drawing order; the results are captured in a buffer
 * (transform feedback needs no extension, unlike drawing to float textures).
 */
export const poseShader = (nBases: number): string => `#version 300 es
precision highp float;
precision highp int;
precision highp sampler2D;
precision highp sampler2DArray;

uniform sampler2D gaussians;
uniform sampler2DArray bases;
uniform vec3 weights[${3 * nBases}];
uniform int nMoved;
uniform mat3 R_world_head, R_world_torso;
uniform vec3 head_xyz, torso_xyz;
uniform vec4 head_wxyz, torso_wxyz;
uniform float focal;
uniform vec2 principal, size;

in uint index;
flat out vec4 place;   // centre (px), opacity, where opacity exp(-q/2) falls to 1/255 as sqrt(q)
flat out vec4 shape;   // u = shape.x dx + shape.y dy, v = shape.z dy, q = u u + v v
flat out vec4 colour;

const float BLUR = 0.3, MARGIN = 0.3;

vec4 texel(int i) { return texelFetch(gaussians, ivec2(i % ${TEXTURE_WIDTH}, i / ${TEXTURE_WIDTH}), 0); }

// Hamilton product, real part first.
vec4 product(vec4 a, vec4 b) {
  return vec4(a.x * b.x - dot(a.yzw, b.yzw), a.x * b.yzw + b.x * a.yzw + cross(a.yzw, b.yzw));
}

mat3 rotation(vec4 q) {
  float w = q.x, x = q.y, y = q.z, z = q.w;
  return mat3(
    1.0 - 2.0 * (y * y + z * z), 2.0 * (x * y + w * z), 2.0 * (x * z - w * y),
    2.0 * (x * y - w * z), 1.0 - 2.0 * (x * x + z * z), 2.0 * (y * z + w * x),
    2.0 * (x * z + w * y), 2.0 * (y * z - w * x), 1.0 - 2.0 * (x * x + y * y));
}

void main() {
  int i = int(index);
  vec4 mean = texel(4 * i), quat = texel(4 * i + 1), scales = texel(4 * i + 2);
  colour = texel(4 * i + 3);
  vec3 displacement = vec3(0), growth = vec3(0), turn = vec3(0);
  if (i < nMoved) {
    ivec2 at = ivec2(i % ${TEXTURE_WIDTH}, i / ${TEXTURE_WIDTH});
    for (int k = 0; k < ${nBases}; k++) {
      displacement += weights[3 * k] * texelFetch(bases, ivec3(at, 3 * k), 0).xyz;
      growth += weights[3 * k + 1] * texelFetch(bases, ivec3(at, 3 * k + 1), 0).xyz;
      turn += weights[3 * k + 2] * texelFetch(bases, ivec3(at, 3 * k + 2), 0).xyz;
    }
  }
  float w = mean.w, opacity = scales.w;
  vec3 local = mean.xyz + displacement;
  vec3 p = w * (R_world_head * local + head_xyz) + (1.0 - w) * (R_world_torso * local + torso_xyz);
  vec4 body = w * head_wxyz + (1.0 - w) * torso_wxyz;
  mat3 R = rotation(normalize(product(body, product(quat, vec4(1.0, 0.5 * turn)))));
  vec3 s = exp(scales.xyz + growth);

  vec2 slope = p.xy / p.z;
  vec2 limited = clamp(slope, -(principal + MARGIN * 0.5 * size) / focal, (size - principal + MARGIN * 0.5 * size) / focal);
  float f = focal / p.z;
  // Rows of J R S.
  vec3 Rx = vec3(R[0].x, R[1].x, R[2].x), Ry = vec3(R[0].y, R[1].y, R[2].y), Rz = vec3(R[0].z, R[1].z, R[2].z);
  vec3 a = f * (Rx - limited.x * Rz) * s, b = f * (Ry - limited.y * Rz) * s;
  float xx = dot(a, a), yy = dot(b, b);
  vec3 axb = cross(a, b);
  // |a x b|^2 and not xx yy - xy xy, which cancels for needles.
  float det = dot(axb, axb) + BLUR * (xx + yy) + BLUR * BLUR;
  float cov_yy = yy + BLUR;
  shape = vec4(sqrt(cov_yy / det), -dot(a, b) / sqrt(cov_yy * det), inversesqrt(cov_yy), 0.0);
  place = vec4(focal * slope + principal, opacity, opacity > 1.0 / 255.0 ? sqrt(2.0 * log(255.0 * opacity)) : 0.0);
}`;

/** Transform feedback wants a whole program; nothing is rasterised. */
export const NO_FRAGMENTS = `#version 300 es
precision highp float;
void main() {}`;

/** A parallelogram around each ellipse: the square in (u, v), which is as tight as a box along the ellipse's axes. */
export const SPLAT_VERTEX = `#version 300 es
precision highp float;
uniform vec2 size;
in vec4 place, shape, colour;
out vec2 uv;
flat out vec4 paint;

void main() {
  vec2 corner = vec2(gl_VertexID & 1, gl_VertexID >> 1) * 2.0 - 1.0;
  uv = corner * place.w;
  paint = vec4(colour.rgb, place.z);
  float dy = uv.y / shape.z;
  float dx = (uv.x - shape.y * dy) / shape.x;
  vec2 p = (place.xy + vec2(dx, dy)) / size;
  gl_Position = vec4(2.0 * p.x - 1.0, 1.0 - 2.0 * p.y, 0.0, 1.0);
}`;

export const SPLAT_FRAGMENT = `#version 300 es
precision highp float;
in vec2 uv;
flat in vec4 paint;
out vec4 result;

void main() {
  float alpha = min(0.999, paint.a * exp(-0.5 * dot(uv, uv)));
  if (alpha < 1.0 / 255.0) discard;
  result = vec4(paint.rgb * alpha, alpha);
}`;

/** One triangle that covers everything. */
export const SCREEN_VERTEX = `#version 300 es
void main() {
  gl_Position = vec4(gl_VertexID == 1 ? 3.0 : -1.0, gl_VertexID == 2 ? 3.0 : -1.0, 0.0, 1.0);
}`;

/** `flip` where the picture's first row is its upper one. */
export const COPY_FRAGMENT = `#version 300 es
precision highp float;
precision highp sampler2D;
uniform sampler2D picture;
uniform bool flip;
out vec4 result;

void main() {
  ivec2 at = ivec2(gl_FragCoord.xy);
  if (flip) at.y = textureSize(picture, 0).y - 1 - at.y;
  result = vec4(clamp(texelFetch(picture, at, 0).rgb, 0.0, 1.0), 1.0);
}`;

// Plain data shared by the kernels of every instruction set, and the table of their entry points.
// Only plain structs here: an inline function in a header shared by translation units that are compiled for
// different instruction sets could be merged by the linker into one that the machine cannot run.
#pragma once

#include <cstddef>
#include <cstdint>

namespace locutor {

constexpr int kTile = 32;          // px, side of a tile: the unit of binning and of threads' work
constexpr int kPatch = 4;          // px, side of a patch: what one step of blending works on
constexpr int kPatches = 64;       // per tile: row by row, eight per row
constexpr int kPatchPixels = 16;   // row by row
constexpr int kTilePixels = kTile * kTile;
constexpr int kBlock = 256;        // Gaussians per unit of per-Gaussian work
constexpr int kGradientSums = 9;   // see SplatGradient
constexpr int kBackwardScratch = kTilePixels + 16;

constexpr float kNear = 0.01f;
constexpr float kBlurPx2 = 0.3f;
constexpr float kMargin = 0.3f;  // of half the image: see Limits
constexpr float kMaxAlpha = 0.999f;
constexpr float kLog2MaxAlpha = -1.4434168696687e-3f;  // log2(.999)
constexpr float kLog2MinAlpha = -7.99435343685886f;  // log2(1/255)
constexpr float kMinTransmittance = 1e-4f;

struct Camera {
  int width, height;
  float focal, cx, cy;
};

// A float image or stack of planes with any layout, in elements.
struct ImageView {
  const float* data;
  std::ptrdiff_t channel, row, column;
};

// A Gaussian on the image: alpha(p) = 2^(log2_opacity - u^2 - v^2) with (dx, dy) = p - (x, y), u = u_x dx + u_y dy,
// v = v_y dy.
// This Cholesky form of the quadratic stays accurate in float32 for long needles, where dx^2, dx dy, dy^2 cancel.
// One cache line each, because tiles read them in no order.
struct alignas(64) Splat {
  float x, y, u_x, u_y;
  float v_y, log2_opacity, r, g;
  float b;
  float lean;           // px, dy of the rightmost point of the ellipse outside of which alpha < 1/255
  float skew, inv_u_x;  // at a given dy the ellipse's centre lies at dx = skew dy, and u grows by one over inv_u_x px
};

// Sums over the pixels of one tile, for one Gaussian, with s = dL/d ln(alpha):
// s, s u, s v, s u^2, s u v, s v^2, and dL/d colour.
struct alignas(64) SplatGradient {
  float sum[kGradientSums];
};

// Tiles covered by a Gaussian's box, inclusive.
struct TileRect {
  std::uint16_t x0, x1, y0, y1;
};

// N Gaussians as PyTorch stores them: [N, 3], [N, 4], [N, 3], [N], [N, 3].
struct GaussianArrays {
  const float *means, *quats, *scales, *opacities, *colors;
};
struct MutableGaussianArrays {
  float *means, *quats, *scales, *opacities, *colors;
};

// Up to kBlock Gaussians, one array per coordinate, so that loops over Gaussians vectorise.
struct alignas(64) GaussianBlock {
  float mean[3][kBlock], quat[4][kBlock], scale[3][kBlock], opacity[kBlock], color[3][kBlock];
};

// Gaussians of a person in the reference pose: locutor.splat.posing.CanonicalGaussians.
struct CanonicalArrays {
  const float *means, *quats, *log_scales, *logit_opacities, *colors, *logit_attachment;
};
struct MutableCanonicalArrays {  // colours pass through posing unchanged
  float *means, *quats, *log_scales, *logit_opacities, *logit_attachment;
};
struct alignas(64) CanonicalBlock {
  float mean[3][kBlock], quat[4][kBlock], log_scale[3][kBlock], logit_opacity[kBlock], color[3][kBlock];
  float logit_attachment[kBlock];
};

constexpr int kDeltaRows = 9;  // displacement, log-scale, rotation vector
constexpr int kBasisRun = 64;  // values of a basis that lie together

struct BodyPose {
  float R_head[3][3], head_xyz[3], head_wxyz[4];
  float R_torso[3][3], torso_xyz[3], torso_wxyz[4];
};
struct BodyPoseGradient {
  float R_head[3][3], head_xyz[3], R_torso[3][3], torso_xyz[3];
};
constexpr std::size_t kPoseGradientValues = sizeof(BodyPoseGradient) / sizeof(float);

// A picture, its target and where the gradient of their loss goes.
struct PhotometricJob {
  int width, height;
  ImageView rendered;
  const std::uint8_t* target;  // [3, H, W]
  const float* weight;         // [H, W]
  float ssim_weight;
  float* gradient;             // [3, H, W], dL/d rendered
};

// Sums over one row of one channel.
struct PhotometricSums {
  float objective, l1, ssim, squared;
};

// Indices of Gaussians, of 16 bits where all of them fit: half the memory to stream. One of the pointers is null.
struct IdList {
  const std::uint16_t* narrow;
  const std::uint32_t* wide;
};

// Blended state of a tile. A pixel that is finished has its sign set in `transmittance`.
struct alignas(64) BlendPatch {
  float transmittance[kPatchPixels], color[3][kPatchPixels];
};
struct TileState {
  BlendPatch patches[kPatches];
  float* extra;           // [kPatches, channels, 16], of the caller; unused without extra channels
  std::uint64_t touched;  // bit per patch that may differ from the background; if none is set, nothing else is
};

// One tile's share of the work.
struct TileJob {
  const Splat* splats;
  IdList list;  // Gaussians that may touch the tile, nearest first
  int count;
  std::uint64_t* touched;     // per list entry, the patches it may touch: `blend` sets them for `blend_backward`; or null
  int x0, y0;                 // px, top left corner
  int width, height;  // px, of the image
  const float* extra;  // [N, channels], blended like the colours; null without
  int channels;
};

struct BackwardImages {
  ImageView rgb, alpha, d_rgb, d_alpha;
  ImageView extra, d_extra;  // unset without extra channels
};

// Where blend_backward leaves its sums: `slots[i]` is the place of list entry i in both arrays.
struct BackwardSums {
  const std::uint32_t* slots;
  SplatGradient* splats;
  float* extra;    // [slots, channels], dL/d extra; null without extra channels
  float* scratch;  // kBackwardScratch floats per extra channel
};

// Adam's numbers in one step: `rate` and `correction` = 1 / sqrt(1 - beta2^t) hold the bias corrections.
struct AdamStep {
  float one_minus_beta1, beta2, one_minus_beta2, rate, correction, epsilon;
};

// Adafactor's numbers in one step; `correction` = 1 / sqrt(1 - beta^t).
struct AdafactorRow {
  float one_minus_beta, mean_column_square, correction, epsilon;
};

struct Kernels {
  const char* isa;
  // Bit t of the result is set when array t (means, quats, scales, opacities, colors) holds a value that is not finite.
  // `colors` may be null, here and in store_gaussians.
  std::uint32_t (*load_gaussians)(const GaussianArrays&, std::ptrdiff_t begin, int count, GaussianBlock&);
  // Writes one splat, tile rectangle and depth per Gaussian; depth 0 marks those that cannot be seen.
  void (*project)(const GaussianBlock&, int count, const Camera&, Splat*, TileRect*, float* depth);
  void (*project_backward)(const GaussianBlock&, int count, const Camera&, const Splat*,
                           const float (*sums)[kBlock], GaussianBlock& gradient);
  void (*store_gaussians)(const GaussianBlock&, std::ptrdiff_t begin, int count, const MutableGaussianArrays&);
  void (*blend)(const TileJob&, TileState&);
  // Sets rgb planes [3, H, W] and alpha [H, W] inside the tile.
  void (*write_float)(const TileJob&, const TileState&, const ImageView& background, float* rgb, float* alpha);
  // Sets 8-bit pixels [H, W, 3]. `background` is the tile's, patch by patch [kPatches, 3, 16]; `background8` that of the whole
  // image, as the pixels.
  void (*write_8bit)(const TileJob&, const TileState&, const float* background, const std::uint8_t* background8,
                     std::uint8_t* rgb8);
  // Sets extra planes [channels, H, W] inside the tile.
  void (*write_extra)(const TileJob&, const TileState&, float* planes);
  void (*blend_backward)(const TileJob&, const BackwardImages&, const BackwardSums&);

  // Bit t of the result is set when array t of CanonicalArrays holds a value that is not finite.
  std::uint32_t (*load_canonical)(const CanonicalArrays&, std::ptrdiff_t begin, int count, CanonicalBlock&);
  // The instruction set's own form of the bases: half precision where it can be read fast, because the memory is what
  // takes the time. `n` is a multiple of 16.
  std::size_t packed_bytes;  // per value
  void (*pack)(const float* values, std::size_t n, void* out);
  void (*motion_field)(const void* bases, int n_bases, const float* coefficients, float (*delta)[kBlock]);
  void (*pose)(const CanonicalBlock&, const float (*delta)[kBlock], int count, const BodyPose&, GaussianBlock&);
  // `d_pose` may be null.
  void (*pose_backward)(const CanonicalBlock&, const float (*delta)[kBlock], int count, const BodyPose&,
                        const GaussianBlock& d_out, CanonicalBlock& d, float (*d_delta)[kBlock],
                        BodyPoseGradient* d_pose);
  void (*store_canonical)(const CanonicalBlock&, std::ptrdiff_t begin, int count, const MutableCanonicalArrays&);

  // Rows [y0, y1) of one channel of the photometric loss; `sums` holds one entry per row of the image.
  std::size_t (*photometric_scratch)(int width);  // floats that `photometric_band` needs
  void (*photometric_band)(const PhotometricJob&, int channel, int y0, int y1, float* scratch, PhotometricSums* sums);

  // out[i] = scale sum_k coefficients[k] bases[k stride + i], i < count; returns 1 when any is not finite.
  std::uint32_t (*field_row)(const float* bases, std::ptrdiff_t stride, int n_bases, const float* coefficients,
                             float scale, int count, float* out);
  float (*field_dot)(const float* a, const float* b, int count);
  // One row of the bases' gradient r = scale * d: brings `mean_square` up to date and sets `direction` to r over its root.
  // Returns the sum of r².
  double (*adafactor_row)(const float* d, float scale, int count, const AdafactorRow&, float* mean_square,
                          float* direction);
  // Sum of basis[i] d[i]; then basis[i] -= move direction[i].
  float (*field_dot_and_step)(float* basis, const float* d, const float* direction, float move, int count);
  void (*adam)(float* parameter, float* first, float* second, const float* gradient, int count, const AdamStep&);
};

const Kernels& kernels_portable();
const Kernels& kernels_avx2();
const Kernels& kernels_avx512();

}  // namespace locutor

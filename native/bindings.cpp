// The Python module locutor._native. It knows arrays, not torch; locutor.splat wraps it.
#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/unique_ptr.h>
#include <nanobind/stl/vector.h>

#include <cstring>
#include <optional>
#include <tuple>

#include "arrays.h"
#include "engine.h"
#include "photometric.h"
#include "posing.h"
#include "rasterizer.h"
#include "renderer.h"
#include "z_buffer.h"
#include "adam.h"
#include "bases_step.h"
#include "field.h"

namespace locutor {
namespace {

using In = Array<const float>;
using Out = Array<float>;
using InBytes = Array<const std::uint8_t>;
using OutBytes = Array<std::uint8_t>;
using PoseTuple = std::tuple<In, In, In, In, In, In>;  // the fields of BodyPose in order
using CameraTuple = std::tuple<int, int, float, float, float>;

Camera camera_of(const CameraTuple& c) {
  const Camera camera{std::get<0>(c), std::get<1>(c), std::get<2>(c), std::get<3>(c), std::get<4>(c)};
  if (camera.width < 1 || camera.height < 1 || camera.width > 1 << 20 || camera.height > 1 << 20)
    throw std::invalid_argument("the camera's width and height must be 1 to 1048576 px");
  return camera;
}

int rows_of(const In& means) {
  if (means.ndim() < 1 || means.shape(0) > 0x7fffffffu) throw std::invalid_argument("means must be [N, 3], N < 2^31");
  return static_cast<int>(means.shape(0));
}

GaussianArrays gaussians_of(const In& means, const In& quats, const In& scales, const In& opacities, const In& colors) {
  const std::size_t n = static_cast<std::size_t>(rows_of(means));
  return {contiguous(means, "means", {n, 3}), contiguous(quats, "quats", {n, 4}), contiguous(scales, "scales", {n, 3}),
          contiguous(opacities, "opacities", {n}), contiguous(colors, "colors", {n, 3})};
}

ExtraArray extra_of(const std::optional<In>& extra, std::size_t n) {
  if (!extra) return {0, nullptr};
  if (extra->ndim() != 2 || extra->shape(1) < 1 || extra->shape(1) > 1 << 20)
    throw std::invalid_argument("extra must be [N, C] with C from 1 to 1048576");
  return {static_cast<int>(extra->shape(1)), contiguous(*extra, "extra", {n, extra->shape(1)})};
}

std::shared_ptr<Frame> py_rasterize(Engine& engine, In means, In quats, In scales, In opacities, In colors,
                                    std::optional<In> extra, CameraTuple camera_tuple, In background, Out rgb,
                                    Out alpha, std::optional<Out> extra_picture) {
  const Camera camera = camera_of(camera_tuple);
  const ExtraArray more = extra_of(extra, static_cast<std::size_t>(rows_of(means)));
  const GaussianArrays gaussians = gaussians_of(means, quats, scales, opacities, colors);
  const ImageView behind = image_view(background, "background", camera);
  const auto w = static_cast<std::size_t>(camera.width), h = static_cast<std::size_t>(camera.height);
  const auto channels = static_cast<std::size_t>(more.channels);
  const Pictures out{contiguous(rgb, "rgb", {3, h, w}), contiguous(alpha, "alpha", {h, w}),
                     extra_picture ? contiguous(*extra_picture, "extra picture", {channels, h, w}) : nullptr};
  if (extra.has_value() != extra_picture.has_value())
    throw std::invalid_argument("extra channels and their picture come together");
  const int n = rows_of(means);
  nb::gil_scoped_release release;
  return rasterize(engine, gaussians, n, more, camera, behind, out);
}

// Gaussians with extra channels bring the picture of these, its gradient, and room for theirs.
using ExtraTuple = std::tuple<In, In, In, Out>;

void py_rasterize_backward(Engine& engine, Frame& frame, In means, In quats, In scales, In opacities, In colors, In rgb,
                           In alpha, In d_rgb, In d_alpha, Out d_means, Out d_quats, Out d_scales, Out d_opacities,
                           Out d_colors, std::optional<ExtraTuple> extra) {
  const GaussianArrays gaussians = gaussians_of(means, quats, scales, opacities, colors);
  const std::size_t n = static_cast<std::size_t>(frame.n);
  check_shape(means, "means", {n, 3});
  BackwardImages images{image_view(rgb, "rgb", frame.camera), plane_view(alpha, "alpha", frame.camera),
                              image_view(d_rgb, "gradient of rgb", frame.camera),
                              plane_view(d_alpha, "gradient of alpha", frame.camera), {}, {}};
  ExtraArray more{0, nullptr};
  float* d_extra = nullptr;
  if (extra) {
    more = extra_of(std::get<0>(*extra), n);
    images.extra = image_view(std::get<1>(*extra), "extra picture", frame.camera, more.channels);
    images.d_extra = image_view(std::get<2>(*extra), "gradient of extra", frame.camera, more.channels);
    d_extra = contiguous(std::get<3>(*extra), "d_extra", {n, static_cast<std::size_t>(more.channels)});
  }
  const MutableGaussianArrays out{contiguous(d_means, "d_means", {n, 3}), contiguous(d_quats, "d_quats", {n, 4}),
                              contiguous(d_scales, "d_scales", {n, 3}), contiguous(d_opacities, "d_opacities", {n}),
                              contiguous(d_colors, "d_colors", {n, 3})};
  nb::gil_scoped_release release;
  rasterize_backward(engine, frame, gaussians, more, images, out, d_extra);
}

CanonicalArrays canonical_of(const In& means, const In& quats, const In& log_scales, const In& logit_opacities,
                             const In& colors, const In& logit_attachment) {
  const std::size_t n = static_cast<std::size_t>(rows_of(means));
  return {contiguous(means, "means", {n, 3}),
          contiguous(quats, "quats", {n, 4}),
          contiguous(log_scales, "log_scales", {n, 3}),
          contiguous(logit_opacities, "logit_opacities", {n}),
          contiguous(colors, "colors", {n, 3}),
          contiguous(logit_attachment, "logit_attachment", {n})};
}

BodyPose pose_of(const PoseTuple& t) {
  BodyPose pose;
  std::memcpy(pose.R_head, contiguous(std::get<0>(t), "R_world_head", {3, 3}), sizeof pose.R_head);
  std::memcpy(pose.head_xyz, contiguous(std::get<1>(t), "head_xyz", {3}), sizeof pose.head_xyz);
  std::memcpy(pose.head_wxyz, contiguous(std::get<2>(t), "head_wxyz", {4}), sizeof pose.head_wxyz);
  std::memcpy(pose.R_torso, contiguous(std::get<3>(t), "R_world_torso", {3, 3}), sizeof pose.R_torso);
  std::memcpy(pose.torso_xyz, contiguous(std::get<4>(t), "torso_xyz", {3}), sizeof pose.torso_xyz);
  std::memcpy(pose.torso_wxyz, contiguous(std::get<5>(t), "torso_wxyz", {4}), sizeof pose.torso_wxyz);
  return pose;
}

void py_pose(Engine& engine, In means, In quats, In log_scales, In logit_opacities, In colors, In logit_attachment,
             In delta, PoseTuple pose_tuple, Out out_means, Out out_quats, Out out_scales, Out out_opacities) {
  const int rows = rows_of(means);
  const std::size_t n = static_cast<std::size_t>(rows);
  const CanonicalArrays canonical = canonical_of(means, quats, log_scales, logit_opacities, colors, logit_attachment);
  const float* moved = contiguous(delta, "delta", {kDeltaRows, n});
  const BodyPose pose = pose_of(pose_tuple);
  const MutableGaussianArrays out{contiguous(out_means, "means", {n, 3}), contiguous(out_quats, "quats", {n, 4}),
                                  contiguous(out_scales, "scales", {n, 3}),
                                  contiguous(out_opacities, "opacities", {n}), nullptr};
  nb::gil_scoped_release release;
  pose_gaussians(engine, canonical, rows, moved, pose, out);
}

void py_pose_backward(Engine& engine, In means, In quats, In log_scales, In logit_opacities, In colors,
                      In logit_attachment, In delta, PoseTuple pose_tuple, In d_means, In d_quats, In d_scales,
                      In d_opacities, Out d_canonical_means, Out d_canonical_quats, Out d_log_scales,
                      Out d_logit_opacities, Out d_logit_attachment, Out d_delta, std::optional<Out> d_pose) {
  const int rows = rows_of(means);
  const std::size_t n = static_cast<std::size_t>(rows);
  const CanonicalArrays canonical = canonical_of(means, quats, log_scales, logit_opacities, colors, logit_attachment);
  const float* moved = contiguous(delta, "delta", {kDeltaRows, n});
  const BodyPose pose = pose_of(pose_tuple);
  const GaussianArrays d_out{contiguous(d_means, "d_means", {n, 3}), contiguous(d_quats, "d_quats", {n, 4}),
                             contiguous(d_scales, "d_scales", {n, 3}), contiguous(d_opacities, "d_opacities", {n}),
                             nullptr};
  const MutableCanonicalArrays d_canonical{contiguous(d_canonical_means, "d_means", {n, 3}),
                                           contiguous(d_canonical_quats, "d_quats", {n, 4}),
                                           contiguous(d_log_scales, "d_log_scales", {n, 3}),
                                           contiguous(d_logit_opacities, "d_logit_opacities", {n}),
                                           contiguous(d_logit_attachment, "d_logit_attachment", {n})};
  float* d_moved = contiguous(d_delta, "d_delta", {kDeltaRows, n});
  float* d_pose_data = d_pose ? contiguous(*d_pose, "d_pose", {kPoseGradientValues}) : nullptr;
  nb::gil_scoped_release release;
  BodyPoseGradient gradient;
  pose_gaussians_backward(engine, canonical, rows, moved, pose, d_out, d_canonical, d_moved,
                          d_pose_data ? &gradient : nullptr);
  if (d_pose_data) std::memcpy(d_pose_data, &gradient, sizeof gradient);
}

std::tuple<double, double, double, double> py_photometric(Engine& engine, In rendered, InBytes target, In weight,
                                                          float ssim_weight, Out gradient) {
  if (rendered.ndim() != 3 || rendered.shape(0) < 1 || rendered.shape(1) < 1)
    throw std::invalid_argument("rendered must be [H, W, 3] with at least one pixel");
  const std::size_t h = rendered.shape(0), w = rendered.shape(1);
  const Camera size{static_cast<int>(w), static_cast<int>(h), 0.0f, 0.0f, 0.0f};
  PhotometricJob job{size.width,
                     size.height,
                     image_view(rendered, "rendered", size),
                     nullptr,
                     contiguous(weight, "weight", {h, w}),
                     ssim_weight,
                     contiguous(gradient, "gradient", {3, h, w})};
  const std::uint8_t* goal = contiguous(target, "target", {h, w, 3});
  nb::gil_scoped_release release;
  const PhotometricResult r = photometric_loss(engine, job, goal);
  return {r.loss, r.l1, r.ssim, r.mse};
}

std::unique_ptr<Renderer> make_renderer(std::shared_ptr<Engine> engine, In means, In quats, In log_scales,
                                        In logit_opacities, In colors, In logit_attachment, In bases,
                                        CameraTuple camera_tuple, In background) {
  const Camera camera = camera_of(camera_tuple);
  const CanonicalArrays canonical = canonical_of(means, quats, log_scales, logit_opacities, colors, logit_attachment);
  const int n = rows_of(means);
  if (bases.ndim() != 3 || bases.shape(2) > static_cast<std::size_t>(n))
    throw std::invalid_argument("bases must be [K, 9, M] with M at most the number of Gaussians");
  const std::size_t n_bases = bases.shape(0), n_moving = bases.shape(2);
  return std::make_unique<Renderer>(std::move(engine), canonical, n,
                                    contiguous(bases, "bases", {n_bases, kDeltaRows, n_moving}),
                                    static_cast<int>(n_bases), static_cast<int>(n_moving), camera,
                                    image_view(background, "background", camera));
}

void py_render(const Renderer& renderer, In coefficients, PoseTuple pose_tuple, OutBytes rgb8) {
  const auto w = static_cast<std::size_t>(renderer.camera().width);
  const auto h = static_cast<std::size_t>(renderer.camera().height);
  const float* weights = contiguous(coefficients, "coefficients", {static_cast<std::size_t>(renderer.n_bases())});
  const BodyPose pose = pose_of(pose_tuple);
  std::uint8_t* pixels = contiguous(rgb8, "rgb8", {h, w, 3});
  nb::gil_scoped_release release;
  renderer.render(weights, pose, pixels);
}

template <class T>
FieldArrays field_of(const Array<T>& bases, const In& scale) {
  if (bases.ndim() != 3 || bases.shape(1) > kDeltaRows) throw std::invalid_argument("bases must be [K, R, M] with R at most 9");
  const std::size_t n_bases = bases.shape(0), n_rows = bases.shape(1), n_moving = bases.shape(2);
  return {contiguous(bases, "bases", {n_bases, n_rows, n_moving}), contiguous(scale, "channel_scale", {n_rows}),
          static_cast<int>(n_bases), static_cast<int>(n_rows), static_cast<int>(n_moving)};
}

// Checked: [9, N] with N at least the field's M.
template <class T>
T* delta_of(const Array<T>& delta, const char* name, const FieldArrays& field) {
  if (delta.ndim() != 2 || delta.shape(1) < static_cast<std::size_t>(field.n_moving) || delta.shape(1) > 0x7fffffffu)
    throw std::invalid_argument(std::string(name) + " must be [9, N] with N at least the M of bases [K, R, M]");
  return contiguous(delta, name, {kDeltaRows, delta.shape(1)});
}

void py_motion_field(Engine& engine, In coefficients, In bases, In scale, Out delta) {
  const FieldArrays field = field_of(bases, scale);
  const float* weights = contiguous(coefficients, "coefficients", {static_cast<std::size_t>(field.n_bases)});
  float* moved = delta_of(delta, "delta", field);
  const int n = static_cast<int>(delta.shape(1));
  nb::gil_scoped_release release;
  motion_field(engine, field, weights, n, moved);
}

void py_motion_field_backward(Engine& engine, In bases, In scale, In d_delta, Out d_coefficients) {
  const FieldArrays field = field_of(bases, scale);
  const float* d_moved = delta_of(d_delta, "d_delta", field);
  float* out = contiguous(d_coefficients, "d_coefficients", {static_cast<std::size_t>(field.n_bases)});
  const int n = static_cast<int>(d_delta.shape(1));
  nb::gil_scoped_release release;
  motion_field_backward(engine, field, d_moved, n, out);
}

void py_bases_step(Engine& engine, Out bases, Out columns, Out rows, In scale, In coefficients, In d_delta, int first,
                   float rate, int step, double beta, double epsilon, Out d_coefficients) {
  const FieldArrays field = field_of(bases, scale);
  const std::size_t k = bases.shape(0), r = bases.shape(1), m = bases.shape(2);
  float* table = contiguous(bases, "bases", {k, r, m});
  const FactoredMoments moments{contiguous(columns, "columns", {k}), contiguous(rows, "rows", {r, m})};
  if (first < 0 || d_delta.ndim() != 2 || first + m > d_delta.shape(1))
    throw std::invalid_argument("d_delta must be [9, N] with N at least first + M of bases [K, R, M]");
  const BasesGradient gradient{contiguous(coefficients, "coefficients", {k}), delta_of(d_delta, "d_delta", field) + first, field.scale,
                               field.n_bases, field.n_rows, field.n_moving, static_cast<int>(d_delta.shape(1))};
  float* out = contiguous(d_coefficients, "d_coefficients", {k});
  nb::gil_scoped_release release;
  bases_step(engine, table, moments, gradient, rate, step, beta, epsilon, out);
}

// Tensors that Adam changes in place, held so that a step only takes gradients.
class AdamTensors {
 public:
  AdamTensors(std::shared_ptr<Engine> engine, std::vector<Out> parameters, std::vector<Out> first,
              std::vector<Out> second)
      : engine_(std::move(engine)), parameters_(std::move(parameters)), first_(std::move(first)),
        second_(std::move(second)) {
    if (first_.size() != parameters_.size() || second_.size() != parameters_.size())
      throw std::invalid_argument("there must be two moments per parameter");
    for (std::size_t i = 0; i < parameters_.size(); i++) {
      const std::size_t size = parameters_[i].size();
      for (const Out* array : {&parameters_[i], &first_[i], &second_[i]}) contiguous(*array, "a parameter or moment", {size});
    }
  }

  void step(const std::vector<In>& gradients, const std::vector<float>& rates, int step, double beta1, double beta2,
            double epsilon) {
    if (gradients.size() != parameters_.size() || rates.size() != parameters_.size())
      throw std::invalid_argument("there must be one gradient and one rate per parameter");
    std::vector<AdamTensor> tensors;
    for (std::size_t i = 0; i < parameters_.size(); i++) {
      const std::size_t size = parameters_[i].size();
      tensors.push_back({parameters_[i].data(), first_[i].data(), second_[i].data(),
                         contiguous(gradients[i], "a gradient", {size}), static_cast<std::ptrdiff_t>(size), rates[i]});
    }
    nb::gil_scoped_release release;
    adam_step(*engine_, tensors, step, beta1, beta2, epsilon);
  }

 private:
  std::shared_ptr<Engine> engine_;
  std::vector<Out> parameters_, first_, second_;
};

void py_draw_nearest(Array<const double> xy, Array<const double> depth, Array<const std::int32_t> triangles,
                     InBytes two_sided, Array<std::int32_t> nearest) {
  if (nearest.ndim() != 2 || triangles.ndim() != 2 || triangles.shape(0) > 0x7fffffffu)
    throw std::invalid_argument("nearest must be [H, W] and triangles [M, 3], M < 2^31");
  const std::size_t v = depth.shape(0), n = triangles.shape(0), h = nearest.shape(0), w = nearest.shape(1);
  const TriangleMesh mesh{contiguous(xy, "xy", {v, 2}), contiguous(depth, "depth", {v}),
                          contiguous(triangles, "triangles", {n, 3}), contiguous(two_sided, "two_sided", {n}),
                          static_cast<int>(n)};
  std::int32_t* out = contiguous(nearest, "nearest", {h, w});
  for (std::size_t i = 0; i < 3 * n; i++)
    if (mesh.triangles[i] < 0 || static_cast<std::size_t>(mesh.triangles[i]) >= v)
      throw std::invalid_argument("triangles names a vertex that does not exist");
  nb::gil_scoped_release release;
  draw_nearest(mesh, static_cast<int>(w), static_cast<int>(h), out);
}

}  // namespace
}  // namespace locutor

NB_MODULE(_native, m) {
  using namespace locutor;
  nb::set_leak_warnings(false);  // the default engine lives until the interpreter is gone
  m.doc() = "Native kernels of locutor: rasteriser, photometric loss, posing.";
  m.def("available_isas", &available_isas, "Usable instruction sets, slowest first.");
  m.def("draw_nearest", &py_draw_nearest, "The nearest triangle at every pixel centre.");
  nb::class_<Frame>(m, "Frame", "What drawing a picture leaves behind for its backward pass.");
  nb::class_<Engine>(m, "Engine", "Threads, instruction set and recycled memory.")
      .def(nb::init<int, const std::string&>(), nb::arg("threads"), nb::arg("isa"))
      .def_prop_ro("threads", [](const Engine& e) { return e.pool.threads(); })
      .def_prop_ro("isa", [](const Engine& e) { return std::string(e.kernels.isa); })
      .def("rasterize", &py_rasterize, nb::arg("means"), nb::arg("quats"), nb::arg("scales"), nb::arg("opacities"),
           nb::arg("colors"), nb::arg("extra").none(), nb::arg("camera"), nb::arg("background"), nb::arg("rgb"),
           nb::arg("alpha"), nb::arg("extra_picture").none())
      .def("rasterize_backward", &py_rasterize_backward, nb::arg("frame"), nb::arg("means"), nb::arg("quats"),
           nb::arg("scales"), nb::arg("opacities"), nb::arg("colors"), nb::arg("rgb"), nb::arg("alpha"),
           nb::arg("d_rgb"), nb::arg("d_alpha"), nb::arg("d_means"), nb::arg("d_quats"), nb::arg("d_scales"),
           nb::arg("d_opacities"), nb::arg("d_colors"), nb::arg("extra").none())
      .def("pose", &py_pose)
      .def("pose_backward", &py_pose_backward)
      .def("photometric_loss", &py_photometric)
      .def("motion_field", &py_motion_field)
      .def("motion_field_backward", &py_motion_field_backward)
      .def("bases_step", &py_bases_step);
  nb::class_<Renderer>(m, "Renderer", "Coefficients and a pose to 8-bit pixels in one call.")
      .def(nb::new_(&make_renderer))
      .def("render", &py_render);
  nb::class_<AdamTensors>(m, "AdamTensors", "Flat tensors that Adam changes in place.")
      .def(nb::init<std::shared_ptr<Engine>, std::vector<Out>, std::vector<Out>, std::vector<Out>>())
      .def("step", &AdamTensors::step);
}

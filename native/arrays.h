// NumPy and PyTorch arrays at the border: type, shape and layout are checked here, with the name of the culprit.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <initializer_list>
#include <stdexcept>
#include <string>

#include "kernels/kernels.h"

namespace locutor {

namespace nb = nanobind;

template <class T>
using Array = nb::ndarray<T, nb::device::cpu>;

inline std::string shape_text(std::initializer_list<std::size_t> shape) {
  std::string text = "[";
  for (std::size_t size : shape) text += (text.size() > 1 ? ", " : "") + std::to_string(size);
  return text + "]";
}

template <class T>
void check_shape(const Array<T>& array, const char* name, std::initializer_list<std::size_t> shape) {
  bool same = array.ndim() == shape.size();
  std::size_t i = 0;
  for (std::size_t size : shape) same = same && array.shape(i++) == size;
  if (same) return;
  std::string found = "[";
  for (std::size_t d = 0; d < array.ndim(); d++) found += (d ? ", " : "") + std::to_string(array.shape(d));
  throw std::invalid_argument(std::string(name) + " has shape " + found + "], expected " + shape_text(shape));
}

// The data of a C-contiguous array of the given shape.
template <class T>
T* contiguous(const Array<T>& array, const char* name, std::initializer_list<std::size_t> shape) {
  check_shape(array, name, shape);
  if (array.size() == 0) return array.data();
  std::int64_t stride = 1;
  for (std::size_t d = array.ndim(); d-- > 0;) {
    if (array.shape(d) > 1 && array.stride(d) != stride)
      throw std::invalid_argument(std::string(name) + " is not contiguous");
    stride *= static_cast<std::int64_t>(array.shape(d));
  }
  return array.data();
}

// An image [H, W, channels] of any layout.
inline ImageView image_view(const Array<const float>& array, const char* name, const Camera& camera, int channels = 3) {
  check_shape(array, name, {static_cast<std::size_t>(camera.height), static_cast<std::size_t>(camera.width),
                            static_cast<std::size_t>(channels)});
  return {array.data(), array.stride(2), array.stride(0), array.stride(1)};
}

// One plane [H, W] of any layout.
inline ImageView plane_view(const Array<const float>& array, const char* name, const Camera& camera) {
  check_shape(array, name, {static_cast<std::size_t>(camera.height), static_cast<std::size_t>(camera.width)});
  return {array.data(), 0, array.stride(0), array.stride(1)};
}

}  // namespace locutor

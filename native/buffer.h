// A growing array that is neither initialised nor copied when it grows.
#pragma once

#include <cstddef>
#include <memory>
#include <new>

namespace locutor {

template <class T>
class Buffer {
 public:
  // At least `size` elements of unspecified value, aligned to a cache line.
  T* require(std::size_t size) {
    if (size > capacity_) {
      const std::size_t capacity = size + size / 4 + 64;
      data_.reset(static_cast<T*>(::operator new(capacity * sizeof(T), std::align_val_t{64})));
      capacity_ = capacity;
    }
    return data_.get();
  }
  T* data() { return data_.get(); }
  const T* data() const { return data_.get(); }
  T& operator[](std::size_t i) { return data_.get()[i]; }
  const T& operator[](std::size_t i) const { return data_.get()[i]; }

 private:
  struct Free {
    void operator()(T* p) const { ::operator delete(p, std::align_val_t{64}); }
  };
  std::unique_ptr<T, Free> data_;
  std::size_t capacity_ = 0;
};

}  // namespace locutor

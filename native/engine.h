// Threads, instruction set and recycled memory: what every native call works with.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "frame.h"
#include "isa.h"
#include "thread_pool.h"

namespace locutor {

class Engine {
 public:
  Engine(int threads, const std::string& isa) : pool(threads), kernels(kernels_for(isa)) {}

  // A frame to draw into; its memory is used again once the last owner lets it go.
  std::shared_ptr<Frame> frame() {
    std::unique_ptr<Frame> frame = store_->take();
    return {frame.release(), [store = store_](Frame* done) { store->give(std::unique_ptr<Frame>(done)); }};
  }

  ThreadPool pool;
  const Kernels& kernels;

 private:
  class Store {
   public:
    std::unique_ptr<Frame> take() {
      std::lock_guard<std::mutex> lock(mutex_);
      if (frames_.empty()) return std::make_unique<Frame>();
      std::unique_ptr<Frame> frame = std::move(frames_.back());
      frames_.pop_back();
      return frame;
    }
    void give(std::unique_ptr<Frame> frame) {
      std::lock_guard<std::mutex> lock(mutex_);
      frames_.push_back(std::move(frame));
    }

   private:
    std::mutex mutex_;
    std::vector<std::unique_ptr<Frame>> frames_;
  };
  std::shared_ptr<Store> store_ = std::make_shared<Store>();  // outlives the engine while frames do
};

}  // namespace locutor

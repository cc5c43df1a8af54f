// A work queue of numbered items shared by a few threads and the caller.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>
#include <type_traits>
#include <vector>

namespace locutor {

// There is no barrier that all threads must reach: the caller works too and returns as soon as every item is done,
// so a thread that the scheduler keeps waiting costs its share and not a time slice.
class ThreadPool {
 public:
  explicit ThreadPool(int threads);  // the caller counts as one
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int threads() const { return static_cast<int>(workers_.size()) + 1; }

  // Calls f(i) once for each 0 <= i < count, in any order, on any thread. f must not throw or call for_each.
  template <class F>
  void for_each(int count, F&& f) {
    using Fn = std::remove_reference_t<F>;
    run(count, [](void* fn, int i) { (*static_cast<Fn*>(fn))(i); }, const_cast<std::remove_const_t<Fn>*>(&f));
  }

 private:
  using Call = void (*)(void*, int);
  void run(int count, Call call, void* argument);
  bool take_one();
  void work();

  std::vector<std::thread> workers_;
  std::mutex submit_;  // one job at a time

  // Job number, item count and next item in one word: a thread takes an item by compare-and-swap, so it can never
  // take one of a job whose call and argument it has not seen.
  std::atomic<std::uint64_t> ticket_{0};
  std::atomic<int> done_{0};
  Call call_ = nullptr;
  void* argument_ = nullptr;

  std::mutex sleep_;
  std::condition_variable wake_, finished_;
  int sleepers_ = 0;
  bool caller_sleeps_ = false;
  std::atomic<bool> stop_{false};
};

}  // namespace locutor

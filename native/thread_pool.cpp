#include "thread_pool.h"

#include <algorithm>
#include <chrono>

namespace locutor {
namespace {

// Ticket: [job : 16][count : 24][next : 24].
constexpr int kItemBits = 24;
constexpr std::uint64_t kItemMask = (1ull << kItemBits) - 1;

std::uint64_t next_of(std::uint64_t ticket) { return ticket & kItemMask; }
std::uint64_t count_of(std::uint64_t ticket) { return ticket >> kItemBits & kItemMask; }

void pause() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#else
  std::this_thread::yield();
#endif
}

// Waits for `ready` for about 20 microseconds: longer than the serial steps between two jobs of a frame.
template <class Ready>
bool spin(Ready ready) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::microseconds(20);
  do {
    for (int i = 0; i < 32; i++) {
      if (ready()) return true;
      pause();
    }
  } while (std::chrono::steady_clock::now() < end);
  return ready();
}

}  // namespace

ThreadPool::ThreadPool(int threads) {
  for (int i = 1; i < threads; i++) workers_.emplace_back([this] { work(); });
}

ThreadPool::~ThreadPool() {
  {
    std::lock_guard<std::mutex> lock(sleep_);
    stop_ = true;
  }
  wake_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

bool ThreadPool::take_one() {
  std::uint64_t ticket = ticket_.load(std::memory_order_acquire);
  do {
    if (next_of(ticket) >= count_of(ticket)) return false;
  } while (!ticket_.compare_exchange_weak(ticket, ticket + 1, std::memory_order_acq_rel, std::memory_order_acquire));
  const int count = static_cast<int>(count_of(ticket));
  call_(argument_, static_cast<int>(next_of(ticket)));  // the job cannot end before this item is done
  if (done_.fetch_add(1, std::memory_order_acq_rel) + 1 == count) {
    std::lock_guard<std::mutex> lock(sleep_);
    if (caller_sleeps_) finished_.notify_one();
  }
  return true;
}

void ThreadPool::run(int count, Call call, void* argument) {
  if (workers_.empty() || count <= 1) {
    for (int i = 0; i < count; i++) call(argument, i);
    return;
  }
  std::lock_guard<std::mutex> submit(submit_);
  constexpr int kMost = static_cast<int>(kItemMask);
  if (count > kMost) std::terminate();  // 16 million items: callers group their work far below this
  call_ = call;
  argument_ = argument;
  done_.store(0, std::memory_order_relaxed);
  const std::uint64_t job = (ticket_.load(std::memory_order_relaxed) >> (2 * kItemBits)) + 1;
  ticket_.store(job << (2 * kItemBits) | static_cast<std::uint64_t>(count) << kItemBits, std::memory_order_release);
  {
    std::lock_guard<std::mutex> lock(sleep_);
    if (sleepers_ > 0) wake_.notify_all();
  }
  while (take_one()) {
  }
  const auto all_done = [&] { return done_.load(std::memory_order_acquire) == count; };
  if (spin(all_done)) return;
  std::unique_lock<std::mutex> lock(sleep_);
  caller_sleeps_ = true;
  finished_.wait(lock, all_done);
  caller_sleeps_ = false;
}

void ThreadPool::work() {
  const auto has_work = [&] {
    const std::uint64_t ticket = ticket_.load(std::memory_order_acquire);
    return next_of(ticket) < count_of(ticket) || stop_.load(std::memory_order_relaxed);
  };
  while (!stop_.load(std::memory_order_relaxed)) {
    while (take_one()) {
    }
    if (spin(has_work)) continue;
    std::unique_lock<std::mutex> lock(sleep_);
    sleepers_++;
    wake_.wait(lock, has_work);
    sleepers_--;
  }
}

}  // namespace locutor

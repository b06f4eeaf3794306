// slab/counter.h - a number that one thread counts up and any thread reads.
//
// Threads  Add: the owner only (the thread that has the worker's turn). Get: any.
#pragma once

#include <atomic>
#include <cstdint>

namespace larder::slab {

class Counter {
 public:
  // Relaxed, and a load and a store instead of a read-modify-write: there is one writer.
  void Add(uint64_t amount = 1) {
    value_.store(value_.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
  }
  void Set(uint64_t value) { value_.store(value, std::memory_order_relaxed); }
  [[nodiscard]] uint64_t Get() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

}  // namespace larder::slab

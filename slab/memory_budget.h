// slab/memory_budget.h - the promise of `-m` as one number: whatever grows with the items charges
// here first, and is refused when the limit would be passed.
//
// Units    bytes.
// Limit    may change while serving. One below what is used refuses all charges until enough was
//          returned.
// Threads  any; two atomics, no lock.
// Not here who charges: page_pool.h (pages), hash_index.h (buckets).
#pragma once

#include <atomic>
#include <cstdint>

namespace larder::slab {

class MemoryBudget {
 public:
  explicit MemoryBudget(uint64_t limit_bytes) : limit_bytes_(limit_bytes) {}

  [[nodiscard]] bool TryCharge(uint64_t bytes) {
    uint64_t used = used_bytes_.load(std::memory_order_relaxed);
    do {
      if (used + bytes > LimitBytes()) return false;
      // Relaxed: the number guards itself; memory is handed over by locks elsewhere.
    } while (!used_bytes_.compare_exchange_weak(used, used + bytes, std::memory_order_relaxed));
    return true;
  }
  // For what has to be had whatever the limit: little, and the maintainer gives up a page for it
  // when the limit is passed.
  void Charge(uint64_t bytes) { used_bytes_.fetch_add(bytes, std::memory_order_relaxed); }
  void Return(uint64_t bytes) { used_bytes_.fetch_sub(bytes, std::memory_order_relaxed); }

  [[nodiscard]] uint64_t UsedBytes() const { return used_bytes_.load(std::memory_order_relaxed); }
  [[nodiscard]] uint64_t LimitBytes() const {
    // Relaxed: a charge that races with a change may fall on either side of it.
    return limit_bytes_.load(std::memory_order_relaxed);
  }
  void SetLimit(uint64_t limit_bytes) {
    limit_bytes_.store(limit_bytes, std::memory_order_relaxed);
  }
  [[nodiscard]] uint64_t ExcessBytes() const {
    const uint64_t used = UsedBytes();
    const uint64_t limit = LimitBytes();
    return used > limit ? used - limit : 0;
  }

 private:
  std::atomic<uint64_t> limit_bytes_;
  std::atomic<uint64_t> used_bytes_{0};
};

}  // namespace larder::slab

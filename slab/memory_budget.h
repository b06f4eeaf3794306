// slab/memory_budget.h - the promise of `-m` as one number: whatever grows with the items charges
// here first, and is refused when the limit would be passed.
//
// Units    bytes.
// Limit    may change while serving. One below what is used refuses all charges until enough was
//          returned.
// Threads  any; two atomics, no lock.
// Not here who charges: page_pool.h (pages), hash_index.h (buckets).
#pragma once

#include <algorithm>
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
  // Charges what there is, up to `bytes_max`; returns how much.
  [[nodiscard]] uint64_t ChargeUpTo(uint64_t bytes_max) {
    uint64_t used = used_bytes_.load(std::memory_order_relaxed);
    uint64_t charged = 0;
    do {
      const uint64_t limit = LimitBytes();
      charged = std::min(bytes_max, limit - std::min(limit, used));
    } while (!used_bytes_.compare_exchange_weak(used, used + charged, std::memory_order_relaxed));
    return charged;
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
  [[nodiscard]] uint64_t FreeBytes() const {
    const uint64_t limit = LimitBytes();
    return limit - std::min(limit, UsedBytes());
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

// Bytes charged ahead for one purpose, while they are freed little by little: nobody else gets what
// was freed for it. What was not spent in the end is returned.
class Purse {
 public:
  Purse(MemoryBudget& budget, uint64_t wanted_bytes)
      : budget_(budget), wanted_bytes_(wanted_bytes) {}
  Purse(const Purse&) = delete;
  Purse& operator=(const Purse&) = delete;
  ~Purse() { budget_.Return(bytes_); }

  // Charges what there is of what is wanted; returns what is lacking still.
  [[nodiscard]] uint64_t Fill() {
    bytes_ += budget_.ChargeUpTo(wanted_bytes_ - bytes_);
    return wanted_bytes_ - bytes_;
  }
  // For whoever pays out of it.
  [[nodiscard]] uint64_t* Bytes() { return &bytes_; }
  // All of it is somebody's charge from now on.
  void Spend() { bytes_ = 0; }

 private:
  MemoryBudget& budget_;
  const uint64_t wanted_bytes_;
  uint64_t bytes_ = 0;
};

}  // namespace larder::slab

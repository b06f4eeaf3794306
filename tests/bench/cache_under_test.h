// tests/bench/cache_under_test.h - a filled cache that engine benchmarks share, with a worker for
// each benchmark thread and a maintainer as the server has one.
//
// Filling ten million items takes longer than any benchmark, so it happens once, when the first
// benchmark asks for the cache, and never when a filter leaves those benchmarks out.
//
// Threads  Get() from any thread. A Slot belongs to the benchmark thread of its number.
// Errors   Get() returns null when the cache could not be made or filled; Error() says why.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <thread>

#include "slab/cache.h"

namespace larder::bench {

inline constexpr int kThreadCountMax = 2;
inline constexpr uint32_t kValueBytes = 20;

// Stores `kValueBytes` bytes under `key`; false when the cache refused.
bool StoreValue(slab::Cache& cache, slab::Worker& worker, std::string_view key);

class CacheUnderTest {
 public:
  // What one benchmark thread keeps between its runs. On a cache line of its own.
  struct alignas(64) Slot {
    slab::Worker* worker = nullptr;
    uint32_t next_new_item = 0;
  };

  // Items 0 .. item_count - 1 will be there.
  CacheUnderTest(uint32_t item_count, uint64_t limit_bytes)
      : item_count_(item_count), limit_bytes_(limit_bytes) {}
  CacheUnderTest(const CacheUnderTest&) = delete;
  CacheUnderTest& operator=(const CacheUnderTest&) = delete;

  slab::Cache* Get();
  Slot& SlotOf(int thread) { return slots_[static_cast<size_t>(thread)]; }
  [[nodiscard]] uint32_t ItemCount() const { return item_count_; }
  [[nodiscard]] const std::string& Error() const { return error_; }

 private:
  void Create();
  void Fill();

  const uint32_t item_count_;
  const uint64_t limit_bytes_;
  std::once_flag created_;
  slab::Clock clock_{1'700'000'000};
  std::unique_ptr<slab::Cache> cache_;
  std::string error_;
  std::array<Slot, kThreadCountMax> slots_{};
  std::jthread maintainer_;  // last: stops before what it uses goes
};

}  // namespace larder::bench
